"""The quality of a slide in the report."""

from __future__ import annotations

import pytest

from her2path.imaging.artefacts import KIND_RGB, ArtefactKind
from her2path.io.quality_entries import ArtefactSum, QualityResult
from her2path.reports.html.pictures import Picture
from her2path.reports.quality_section import KIND_LABELS, _block

PICTURE = Picture("data:image/png;base64,", 10, 10, reduced=False)
FOLD = ArtefactSum(kind="fold", areas=2, area_mm2=0.125, tissue_frac=0.05)


def test_every_kind_of_artefact_has_a_word_and_a_colour_of_its_own():
    assert set(KIND_LABELS) == set(KIND_RGB) == set(ArtefactKind)
    assert len(set(KIND_RGB.values())) == len(ArtefactKind)


def test_a_slide_with_artefacts_says_how_much_of_its_tissue_is_left_out():
    block = _block("a1", QualityResult(tissue_mm2=2.5, mask_mpp=8.0, artefacts=(FOLD,)), PICTURE)
    assert block.verdict == "good"
    assert "2.5" in block.tissue
    assert "5.0 % of it lies under artefacts and is not scored" in block.tissue
    assert [item.label for item in block.legend] == ["outline of the tissue", "fold: 0.125 mm²"]


@pytest.mark.parametrize("verdict", ["good", "usable"])
def test_a_slide_without_artefacts_leaves_nothing_out(verdict):
    block = _block("a1", QualityResult(verdict=verdict, tissue_mm2=1.0, mask_mpp=8.0), None)
    assert "artefacts" not in block.tissue
    assert block.legend == ()
