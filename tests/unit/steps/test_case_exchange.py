from __future__ import annotations

import base64
import json
import shutil

import pytest

from her2path.cli.step import load_step, parse_arguments
from her2path.domain.verdict import NotEvaluable
from her2path.errors import ArtefactError, ConfigError
from her2path.io.documents import CallDoc, read_document, write_document
from her2path.steps import case_exchange
from her2path.steps.case_exchange import CaseExchangeParams
from tests.support.case_documents import THREE_PLUS, TWO_PLUS, Fish, Ihc, nuclei, write_case
from tests.support.fhir_reading import Received
from tests.support.fhir_rules import faults

DOCUMENTS = {"slide.json", "quality.json", "ihc_score.json", "fish_counts.json"}
NO_TISSUE = NotEvaluable("no_tissue", "image 'a1': no tissue was found; stain and scan it again")


def exchange(root, call, artefacts, params=None):
    fhir = root / "report.fhir.json"
    documents = [path for path in artefacts if path.name in DOCUMENTS]
    case_exchange.run(
        call=call,
        document=documents,
        fhir=fhir,
        synoptic=root / "synoptic.txt",
        table=root / "synoptic.csv",
        params=params or CaseExchangeParams(),
    )
    return fhir.read_bytes()


def test_a_case_gives_a_bundle_that_names_its_slides_by_pseudonym(tmp_path):
    call, artefacts = write_case(tmp_path, "c1", Ihc("a1", TWO_PLUS), Fish("f1", nuclei(40, 4.9, 1.9)))
    got = Received(exchange(tmp_path, call, artefacts).decode())
    assert not faults(got)
    slides = [one["identifier"][0]["value"] for one in got.one("Specimen")["container"]]
    assert slides == ["a1", "f1"]
    assert got.ish()["nuclei"] == 40


def test_a_bundle_does_not_depend_on_the_order_of_the_files_or_their_folder(tmp_path):
    call, artefacts = write_case(tmp_path / "one", "c1", Ihc("a1", TWO_PLUS), Fish("f1", nuclei(40, 5, 2)))
    first = exchange(tmp_path, call, artefacts)
    shutil.move(tmp_path / "one", tmp_path / "other")
    moved = [tmp_path / "other" / path.relative_to(tmp_path / "one") for path in reversed(artefacts)]
    assert exchange(tmp_path, tmp_path / "other/cases/c1/call.json", moved) == first
    assert str(tmp_path).encode() not in first


def test_a_failed_image_still_gives_a_bundle(tmp_path):
    call, artefacts = write_case(tmp_path, "c1", Ihc("a1", failed=NO_TISSUE))
    got = Received(exchange(tmp_path, call, artefacts).decode())
    assert (got.state, got.report["status"]) == ("not_evaluable", "registered")
    assert not faults(got)


def test_documents_that_the_call_was_not_made_from_are_refused(tmp_path):
    call, artefacts = write_case(tmp_path, "c1", Ihc("a1", THREE_PLUS))
    document = read_document(call, CallDoc)
    write_document(call, document.model_copy(update={"inputs": {"a1/slide": "0" * 64}}))
    with pytest.raises(ArtefactError, match="was made from another"):
        exchange(tmp_path, call, artefacts)


def test_versions_that_differ_among_the_images_are_all_named(tmp_path):
    call, artefacts = write_case(tmp_path, "c1", Ihc("a1", THREE_PLUS))
    document = read_document(call, CallDoc)
    newer = document.produced_by.model_copy(update={"version": "0.2.0"})
    write_document(call, document.model_copy(update={"produced_by": newer}))
    versions = Received(exchange(tmp_path, call, artefacts).decode()).one("Device")["version"]
    assert [version["value"] for version in versions] == ["0.2.0", "0.1.0"]


@pytest.mark.parametrize("system", ["pathology", "https://lab.example/a b", ""])
def test_a_name_space_that_is_no_uri_is_refused_by_its_name(system):
    step = load_step("case_exchange")
    text = json.dumps({"identifier_system": system})
    with pytest.raises(ConfigError, match="identifier_system.*must be a URI"):
        parse_arguments(
            step, ["--call", "c", "--fhir", "f", "--synoptic", "s", "--table", "t", "--params", text]
        )


def test_the_summary_of_a_case_comes_as_text_and_as_a_table_and_within_the_bundle(tmp_path):
    call, artefacts = write_case(tmp_path, "c1", Ihc("a1", THREE_PLUS))
    got = Received(exchange(tmp_path, call, artefacts).decode())
    text = (tmp_path / "synoptic.txt").read_text(encoding="utf-8")
    assert text.startswith("HER2 summary of case c1\n")
    assert (tmp_path / "synoptic.csv").read_bytes().startswith(b"case_id,part,field,label,value")
    attached = got.report["presentedForm"][0]["data"]
    assert base64.b64decode(attached).decode() == text


def test_a_call_of_another_schema_is_refused_and_leaves_no_bundle(tmp_path):
    call, artefacts = write_case(tmp_path, "c1", Ihc("a1", THREE_PLUS))
    call.write_text(call.read_text("utf-8").replace('"call/4"', '"call/3"'), encoding="utf-8")
    with pytest.raises(ArtefactError, match="call/3"):
        exchange(tmp_path, call, artefacts)
    assert not (tmp_path / "report.fhir.json").exists()
