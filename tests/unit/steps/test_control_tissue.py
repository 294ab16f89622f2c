"""Control tissue on a slide, through the steps: what is measured, what is scored, what is refused."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pytest

from her2path.errors import RegionError, UnsuitableImageError
from her2path.io.control_runs import collect_runs, read_control_slides
from her2path.io.documents import IhcScoreDoc, QualityDoc, SlideDoc, read_document
from her2path.io.masks import read_mask
from her2path.io.runs import Run
from her2path.io.tables import IHC_CELLS, read_table
from tests.support.control_slides import GAP_PX, TUMOUR, Piece, write_slide
from tests.support.ihc_chain import find_cells, prepare, score

CONTROL = Piece("3+", 704)


@pytest.fixture(scope="module")
def slide(tmp_path_factory) -> Path:
    """A 3+ control at the left of a 1+ tumour."""
    return write_slide(tmp_path_factory.mktemp("slide") / "s.tif", CONTROL, TUMOUR)


def measured(image: Path, folder: Path, **row: object):
    at, sheet = prepare(image, folder, **row)
    find_cells(image, at, sheet)
    score(image, at)
    return at, read_document(at.score, IhcScoreDoc).result


@pytest.fixture(scope="module")
def named(slide, tmp_path_factory):
    return measured(
        slide, tmp_path_factory.mktemp("named") / "i1", control_piece=("left",), control_score=("3+",)
    )


@pytest.fixture(scope="module")
def unnamed(slide, tmp_path_factory):
    return measured(slide, tmp_path_factory.mktemp("unnamed") / "i1")


def polygon(left: float, top: float, right: float, bottom: float, **properties: object) -> dict[str, object]:
    ring = [[left, top], [right, top], [right, bottom], [left, bottom], [left, top]]
    geometry = {"type": "Polygon", "coordinates": [ring]}
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def drawn(folder: Path, *features: dict[str, object]) -> Path:
    path = folder / "regions.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": list(features)}))
    return path


def test_a_named_control_is_left_out_of_the_score_and_scored_on_its_own(named, unnamed):
    _, result = named
    _, mixed = unnamed
    assert (result.score, mixed.score) == ("1+", "3+")
    (control,) = result.control
    assert (control.piece, control.expected, control.score) == ("left", "3+", "3+")
    assert (control.verdict, control.cells) == ("accepted", result.excluded_cells["control_tissue"])
    assert control.percentages["complete_intense"] > 30


def test_a_control_states_the_optical_density_of_its_stained_membranes(named):
    at, result = named
    (control,) = result.control
    cells = read_table(at.cells, IHC_CELLS).filter(pc.field("exclusion") == "control_tissue")
    od = cells["membrane_od"].drop_null().to_numpy()
    assert control.membrane_od == pytest.approx(np.median(od))
    assert control.stained_cells == len(od) > 50


def test_a_control_of_a_slide_is_a_run_of_its_series(named):
    at, result = named
    where = {"case": Run("", date(2026, 1, 5), "A", "4B5", "L1")}
    (value,) = collect_runs(read_control_slides(at.score.parents[1]), where)
    assert (value.control, value.run.run_on, value.case_ids) == (
        "3+ on the slides",
        date(2026, 1, 5),
        ("case",),
    )
    assert value.dab_od == result.control[0].membrane_od
    assert value.pct_stained == result.control[0].percentages["stained"]


def test_cells_of_the_control_say_so_and_lie_in_its_piece(named):
    at, _ = named
    cells = read_table(at.cells, IHC_CELLS).to_pydict()
    rows = list(zip(cells["x_px0"], cells["piece"], cells["control"], cells["exclusion"], strict=True))
    for x, piece, control, exclusion in rows:
        at_left = x < CONTROL.edge_px + GAP_PX / 2
        assert (piece, control) == ((1, 1) if at_left else (2, None))
        assert not (control is None and exclusion == "control_tissue")
        assert not (control is not None and exclusion is None)
    kinds = Counter(exclusion for _, _, control, exclusion in rows if control is not None)
    assert kinds["control_tissue"] > 100
    # What is no epithelium is not scored in a control either.
    assert kinds["lymphocyte"] + kinds["stroma"] + kinds["spindle"] > 0


def test_the_share_of_selected_nuclei_is_that_of_the_cases_own_tissue(named):
    at, result = named
    own = [c for c in read_table(at.cells, IHC_CELLS)["control"].to_pylist() if c is None]
    assert result.selected_nuclei_pct == pytest.approx(100 * result.scored_cells / len(own))


def test_a_region_of_class_control_is_scored_on_its_own_outside_the_drawn_tumour(slide, tmp_path):
    edge = CONTROL.edge_px
    tumour = drawn(tmp_path, polygon(edge + GAP_PX, 0, edge + GAP_PX + TUMOUR.edge_px, TUMOUR.edge_px))
    folder = tmp_path / "x"
    folder.mkdir()
    control = drawn(folder, polygon(0, 0, edge, TUMOUR.edge_px, classification={"name": "Control: 0"}))
    _, result = measured(slide, tmp_path / "i1", tumour_roi=tumour, exclude_roi=control)
    (entry,) = result.control
    assert (entry.piece, entry.expected, entry.score, entry.verdict) == ("region 1", "0", "3+", "failed")
    assert result.score == "1+"


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        pytest.param(("3",), "there are 2", id="a number that no piece has"),
        pytest.param(("top",), "both lie at the top", id="side by side, none on top"),
        pytest.param(("left", "right"), "none is left to score", id="every piece"),
    ],
)
def test_a_control_that_cannot_be_told_is_refused_and_the_picture_shows_the_numbers(
    slide, tmp_path, pieces, words
):
    folder = tmp_path / "i1"
    with pytest.raises(UnsuitableImageError, match=words) as refused:
        prepare(slide, folder, control_piece=pieces)
    assert refused.value.code == "control_piece"
    assert read_document(folder / "quality.json", QualityDoc).result is not None
    assert read_mask(folder / "tissue.png").any()
    assert (folder / "quality.png").stat().st_size > 10_000


def test_a_control_region_of_an_unknown_score_is_refused_before_anything_is_measured(slide, tmp_path):
    roi = drawn(tmp_path, polygon(0, 0, 700, 700, name="Control: 4+"))
    with pytest.raises(RegionError, match=r"score '4\+'"):
        prepare(slide, tmp_path / "i1", exclude_roi=roi)
    assert not (tmp_path / "i1" / "quality.json").exists()


def test_the_sheets_words_reach_the_steps(named):
    at, _ = named
    sheet = read_document(at.slide, SlideDoc).sheet
    assert (sheet.control_piece, sheet.control_score) == (("left",), ("3+",))
