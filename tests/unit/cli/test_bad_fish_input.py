"""A fluorescence image that cannot be counted gets a reason, never a count."""

from __future__ import annotations

import pytest

from her2path.cli import chain
from her2path.config import Config
from her2path.io.case_sheet import ImageRow
from her2path.io.documents import CallDoc, FishCountsDoc, read_document
from tests.support.fish_bad_input import bad_inputs, planes_of
from tests.support.fish_fields import write_ome

BAD = bad_inputs()


def row_of(path, **cells):
    return ImageRow(case_id="case", image_id="image", assay="fish", path=(path,), **cells)


@pytest.mark.parametrize("name", BAD)
def test_bad_input_has_its_reason_and_no_counts(tmp_path, name):
    bad = BAD[name]
    why = chain.run_image(row_of(bad.write(tmp_path), **bad.cells), tmp_path / "out", Config(), workers=1)
    assert (why.code if why else None) == bad.code
    assert why.reason.startswith("image 'image'")
    counts = tmp_path / "out" / "images" / "image" / "fish_counts.json"
    assert read_document(counts, FishCountsDoc).result is None


@pytest.mark.parametrize(
    "over",
    [
        pytest.param({"nuclei_per_mm2": 500.0}, id="a field with few nuclei"),
        pytest.param({"cep17_mean": 0.0}, id="autofluorescence where CEP17 should be"),
        pytest.param({"her2_mean": 0.0, "cep17_mean": 0.0}, id="no probe at all"),
    ],
)
def test_a_field_with_too_little_to_count_has_no_result_but_a_reason(tmp_path, over):
    row = row_of(write_ome(tmp_path / "field.ome.tif", planes_of(**over)))
    call = read_document(chain.run_case([row], tmp_path / "out", Config(), workers=1), CallDoc)
    assert (call.her2_category, call.ish_group, call.state) == (None, None, "indeterminate")
    counts = read_document(tmp_path / "out" / "images" / "image" / "fish_counts.json", FishCountsDoc).result
    assert "too_few_nuclei" in [reason.code for reason in counts.not_sufficient]
