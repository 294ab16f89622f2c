"""Step ihc_score: from cells to a score, an overlay and QuPath objects."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from her2path.cli.step import OUTPUTS
from her2path.domain.ihc import IhcScore
from her2path.errors import ArtefactError, UnsuitableImageError
from her2path.imaging.ihc.calibration import Calibration
from her2path.imaging.phantoms.ihc import render_ihc
from her2path.imaging.phantoms.ihc_spec import SCORE_PRESETS, IhcPhantomSpec
from her2path.io.artefacts import IHC_FILES
from her2path.io.documents import IhcScoreDoc, Producer, SlideDoc, read_document
from her2path.io.tables import IHC_BLOCKS, IHC_CELLS, IHC_CONTOURS, read_table, write_table
from tests.support.ihc_chain import find_cells, prepare, score
from tests.support.slides import write_pyramid

MADE_BY = Producer(step="ihc_cells", version="0")
FACTS = {"calibration": Calibration().id, "tumour_by_neighbourhood": "true"}


def rewritten(at, folder, **facts):
    """The same cells in a table that states other facts."""
    cells = read_table(at.cells, IHC_CELLS)
    path = folder / "cells.parquet"
    with write_table(path, IHC_CELLS, produced_by=MADE_BY, facts=FACTS | facts) as table:
        table.append({name: cells[name].to_pylist() for name in IHC_CELLS.names})
    places = {name: folder / IHC_FILES[name] for name in OUTPUTS["ihc_score"]}
    return type(at)(**{**vars(at), "cells": path, **places})


def scored(tmp_path, preset, *, side=896, seed=9, **row):
    spec = IhcPhantomSpec(seed=seed, width_px=side, height_px=side, mpp=0.5, classes=SCORE_PRESETS[preset])
    phantom = render_ihc(spec)
    slide = write_pyramid(tmp_path / "slide.tif", phantom.rgb, mpp=0.5)
    at, sheet = prepare(slide, tmp_path / "image-1", **row)
    find_cells(slide, at, sheet)
    score(slide, at)
    return at, read_document(at.score, IhcScoreDoc).result, phantom


@pytest.fixture(scope="module")
def strong(tmp_path_factory):
    return scored(tmp_path_factory.mktemp("strong"), "3+")


@pytest.mark.parametrize(
    ("preset", "expected"),
    [
        pytest.param("null", IhcScore.ZERO, id="no staining"),
        pytest.param("ultralow", IhcScore.ZERO, id="faint in 6 %"),
        pytest.param("1+", IhcScore.ONE_PLUS, id="faint and weak, incomplete"),
        pytest.param("2+", IhcScore.TWO_PLUS, id="moderate and weak, complete"),
    ],
)
def test_phantoms_get_the_score_they_were_made_with(tmp_path, preset, expected):
    _, result, _ = scored(tmp_path, preset)
    assert result.score is expected


def test_a_strong_phantom_scores_3_with_an_h_score_near_its_truth(strong):
    _, result, phantom = strong
    assert result.score is IhcScore.THREE_PLUS
    assert result.h_score == pytest.approx(phantom.truth.expressed.h_score, abs=40)


def test_the_tally_adds_up_to_the_cells_of_the_table(strong):
    at, result, _ = strong
    table = read_table(at.cells, IHC_CELLS)
    assert result.as_tally().total == result.scored_cells
    assert result.scored_cells + sum(result.excluded_cells.values()) == table.num_rows
    assert result.scored_cells == table["exclusion"].null_count
    assert sum(p.cells for name, p in result.percentages.items() if name != "stained") == result.scored_cells
    assert result.selected_nuclei_pct == pytest.approx(100 * result.scored_cells / table.num_rows)


def test_each_percentage_lies_within_its_interval(strong):
    for share in strong[1].percentages.values():
        assert 0 <= share.low_pct <= share.pct <= share.high_pct <= 100


def test_the_probabilities_of_all_scores_sum_to_one_or_a_reason_stands_in_their_place(strong):
    result = strong[1]
    assert (result.no_probabilities is None) == bool(result.score_probabilities)
    assert sum(result.score_probabilities.values()) == pytest.approx(float(bool(result.score_probabilities)))


def test_the_h_score_lies_within_its_interval(strong):
    result = strong[1]
    assert 0 <= result.h_score_low <= result.h_score <= result.h_score_high <= 300


def test_the_table_of_blocks_holds_every_scored_cell_once(strong):
    at, result, _ = strong
    blocks = read_table(at.blocks, IHC_BLOCKS)
    assert sum(blocks["cells"].to_pylist()) == result.scored_cells
    for name in ("complete_intense", "none"):
        assert sum(blocks[name].to_pylist()) == result.percentages[name].cells


def test_a_slide_says_nothing_of_controls_that_only_its_case_can_settle(strong):
    _, result, _ = strong
    assert not [flag for flag in result.flags if "controls_unknown" in flag]


def test_hot_spots_reach_qupath_in_level_0_pixels(strong):
    at, result, _ = strong
    slide = read_document(at.slide, SlideDoc).result
    features = json.loads(at.spots.read_text())["features"]
    assert len(features) == len(result.hot_spots) >= 1
    for spot, feature in zip(result.hot_spots, features, strict=True):
        corners = np.array(feature["geometry"]["coordinates"][0])
        assert corners.min(axis=0).tolist() == [spot.x_px0, spot.y_px0]
        assert spot.size_px0 == 500  # 250 µm at 0.5 µm/px
        ends = [min(spot.x_px0 + 500, slide.width_px0), min(spot.y_px0 + 500, slide.height_px0)]
        assert corners.max(axis=0).tolist() == ends
        assert feature["properties"]["classification"]["name"] == "HER2 hot spot"
    assert result.hot_spot_quantity == "pct_complete_intense"
    assert [spot.cells >= 50 for spot in result.hot_spots] == [True] * len(result.hot_spots)


def test_the_pictures_of_blocks_and_hot_spots_are_pictures(strong):
    at = strong[0]
    assert all(cv2.imread(str(path)).std() > 10 for path in (at.heterogeneity, at.crops))


def test_tumour_cells_chosen_by_the_machine_are_said_to_be(strong):
    _, result, _ = strong
    assert result.tumour_selection == "automatic"
    assert "tumour_automatic" in result.flags


def test_the_overlay_shows_colours_that_the_slide_does_not_have(strong):
    at, _, phantom = strong
    overlay = cv2.imread(str(at.overlay))
    assert overlay.shape == phantom.rgb.shape
    assert (np.abs(overlay[..., ::-1].astype(int) - phantom.rgb) > 40).any(axis=2).mean() > 0.02


def test_all_cells_reach_qupath(strong):
    at, _, _ = strong
    features = json.loads(at.geojson.read_text())["features"]
    assert len(features) == read_table(at.cells, IHC_CELLS).num_rows
    names = {feature["properties"]["classification"]["name"] for feature in features}
    assert {"Tumor: 3+", "Tumor: Negative", "Ignore*"} <= names


@pytest.mark.parametrize(("decided", "flagged"), [("true", False), ("false", True)])
def test_a_choice_without_contiguous_epithelium_is_flagged_and_only_such_a_one(
    tmp_path, strong, decided, flagged
):
    at, _, _ = strong
    other = rewritten(at, tmp_path, tumour_by_neighbourhood=decided)
    score(at.slide.parent.parent / "slide.tif", other)
    flags = read_document(other.score, IhcScoreDoc).result.flags
    assert ("tumour_not_contiguous" in flags) is flagged


def test_cells_graded_with_another_calibration_are_refused(tmp_path, strong):
    at, _, _ = strong
    other = rewritten(at, tmp_path, calibration="classical-0")
    with pytest.raises(ArtefactError, match="calibration 'classical-0'"):
        score(at.slide.parent.parent / "slide.tif", other)


def test_too_few_tumour_cells_are_no_result(tmp_path, strong):
    at, _, _ = strong
    slide = at.slide.parent.parent / "slide.tif"
    few = read_table(at.cells, IHC_CELLS).slice(0, 5)
    rings = read_table(at.contours, IHC_CONTOURS).slice(0, 5)
    at = type(at)(**{**vars(at), "cells": tmp_path / "cells.parquet", "contours": tmp_path / "rings.parquet"})
    for path, schema, rows in ((at.cells, IHC_CELLS, few), (at.contours, IHC_CONTOURS, rings)):
        with write_table(path, schema, produced_by=MADE_BY, facts=FACTS) as table:
            table.append({name: rows[name].to_pylist() for name in schema.names})
    for name in OUTPUTS["ihc_score"]:
        setattr(at, name, tmp_path / IHC_FILES[name])
    with pytest.raises(UnsuitableImageError) as caught:
        score(slide, at)
    assert caught.value.code in {"no_tumour_cells", "too_few_tumour_cells"}
    assert not at.score.exists()


@pytest.mark.real
def test_the_real_cores_come_in_the_order_of_their_labels(real_data, tmp_path):
    found = {}
    for core in ("core_9b0f", "core_ccb6", "core_154a", "core_f8a2", "core_0123", "core_da59", "core_a1f1"):
        slide = real_data / "ihc_cores" / f"{core}.tif"
        at, sheet = prepare(slide, tmp_path / core, mpp=0.25)
        find_cells(slide, at, sheet, workers=2)
        score(slide, at)
        found[core] = read_document(at.score, IhcScoreDoc).result
    h = {core: result.h_score for core, result in found.items()}
    negative = max(h["core_9b0f"], h["core_ccb6"])
    assert negative < min(h["core_0123"], h["core_da59"], h["core_a1f1"])
    assert max(h["core_154a"], h["core_f8a2"]) < min(h["core_0123"], h["core_da59"])
    assert max(h["core_0123"], h["core_da59"]) < h["core_a1f1"]
    for core in ("core_9b0f", "core_ccb6", "core_154a", "core_f8a2"):
        assert found[core].score in (IhcScore.ZERO, IhcScore.ONE_PLUS)
    for core in ("core_0123", "core_da59", "core_a1f1"):
        assert found[core].score in (IhcScore.TWO_PLUS, IhcScore.THREE_PLUS)


def with_cytoplasm(at, folder, density):
    """The same cells with that density of DAB in their cytoplasm."""
    cells = read_table(at.cells, IHC_CELLS).to_pydict()
    cells["cytoplasm_od"] = [None if value is None else density for value in cells["cytoplasm_od"]]
    path = folder / "cells.parquet"
    with write_table(path, IHC_CELLS, produced_by=MADE_BY, facts=FACTS) as table:
        table.append(cells)
    places = {name: folder / IHC_FILES[name] for name in OUTPUTS["ihc_score"]}
    return type(at)(**{**vars(at), "cells": path, **places})


def test_cytoplasm_that_outshines_every_membrane_is_no_score(tmp_path, strong):
    at, _, _ = strong
    hidden = with_cytoplasm(at, tmp_path, 1.5)
    with pytest.raises(UnsuitableImageError, match="membranes cannot be told") as caught:
        score(at.slide.parent.parent / "slide.tif", hidden)
    assert caught.value.code == "cytoplasmic_staining"
    assert not hidden.score.exists()


def test_cytoplasm_as_dense_as_membranes_stand_out_is_flagged(tmp_path, strong):
    at, result, _ = strong
    doubtful = with_cytoplasm(at, tmp_path, 0.5)
    score(at.slide.parent.parent / "slide.tif", doubtful)
    assert "cytoplasmic_staining" in read_document(doubtful.score, IhcScoreDoc).result.flags
    assert "cytoplasmic_staining" not in result.flags
