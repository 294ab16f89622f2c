from __future__ import annotations

import pytest

from her2path.errors import ArtefactError
from her2path.io.documents import CallDoc, read_document
from her2path.reports.evidence import gather_images
from tests.support.case_documents import CLEAN, Fish, Ihc, call_doc, nuclei, write_case, write_image

COUNTED = Fish("f1", nuclei(30, 5, 3))


def test_images_are_told_apart_by_their_folder_whatever_the_order_of_the_files(tmp_path):
    call, artefacts = write_case(tmp_path, "c1", COUNTED, Ihc("z1", CLEAN))
    document = read_document(call, CallDoc)
    images = gather_images(document, reversed(artefacts))
    assert [image.image_id for image in images] == ["z1", "f1"]
    assert images == gather_images(document, artefacts)


def test_a_report_never_leaves_out_an_image_that_the_call_rests_on(tmp_path):
    call, artefacts = write_case(tmp_path, "c1", COUNTED, Ihc("z1", CLEAN))
    kept = [path for path in artefacts if path.parent.name != "f1"]
    with pytest.raises(ArtefactError, match="'f1'"):
        gather_images(read_document(call, CallDoc), kept)


def test_an_image_of_another_case_is_refused(tmp_path):
    artefacts = write_image(tmp_path / "z1", "other", Ihc("z1", CLEAN))
    with pytest.raises(ArtefactError, match="'other'"):
        gather_images(call_doc("c1", Ihc("z1", CLEAN)), artefacts)


@pytest.mark.parametrize("name", ["slide.json", "quality.json", "ihc_score.json"])
def test_a_missing_document_is_named(tmp_path, name):
    artefacts = write_image(tmp_path / "z1", "c1", Ihc("z1", CLEAN))
    with pytest.raises(ArtefactError, match=f"z1/{name}"):
        gather_images(call_doc("c1", Ihc("z1", CLEAN)), [p for p in artefacts if p.name != name])
