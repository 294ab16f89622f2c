"""Step case_exchange: the result of a case for other systems."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict

from her2path.io.documents import CallDoc, read_document
from her2path.io.files import sha256_of, write_text
from her2path.reports.evidence import gather_images, refuse_other_inputs
from her2path.reports.synoptic import synoptic_csv, synoptic_of, synoptic_text

log = logging.getLogger(__name__)

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")


def _uri(text: str) -> str:
    if not _URI.fullmatch(text):
        raise ValueError("must be a URI, as in https://lab.example/her2 or urn:oid:1.2.3")
    return text


class CaseExchangeParams(BaseModel):
    """What an operator may set for this step."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    identifier_system: Annotated[str, AfterValidator(_uri)] = (
        "urn:oid:2.25.203917449206500901871846983237487415746"
    )
    """URI of the laboratory's pseudonyms.  The default is the same everywhere: set your own before bundles of
    several laboratories come together, since ids follow from it and from the case id."""
    bundle: Literal["collection", "transaction"] = "collection"
    """`collection` obliges a receiver to nothing; `transaction` can be posted to a FHIR server as it is,
    where every resource replaces its own earlier version."""
    snomed_ct: bool = False
    """Whether codes of SNOMED CT stand beside those of LOINC and HL7; some countries ask for a licence."""


def run(
    *,
    call: Path,
    document: list[Path],
    fhir: Path,
    synoptic: Path,
    table: Path,
    params: CaseExchangeParams,
) -> None:
    """Write the FHIR bundle and the synoptic summary of a case from its call and its documents."""
    # Its models of all resources would be loaded by every other step and by the configuration.
    from her2path.reports.fhir import ExchangeSettings, case_bundle  # noqa: PLC0415

    found = read_document(call, CallDoc)
    images = gather_images(found, document)
    used = {f"{image.image_id}/{name}": image.files[name] for image in images for name, _ in image.documents}
    refuse_other_inputs(found, {name: sha256_of(path) for name, path in used.items()})
    settings = ExchangeSettings(system=params.identifier_system, kind=params.bundle, snomed=params.snomed_ct)
    summary = synoptic_of(found, images)
    words = synoptic_text(summary)
    text = case_bundle(found, images, call_sha256=sha256_of(call), synoptic=words, settings=settings)
    write_text(synoptic, words)
    write_text(table, synoptic_csv(summary))
    write_text(fhir, text)
    log.info("bundle of %d images, %.0f kB", len(images), len(text) / 1e3)
