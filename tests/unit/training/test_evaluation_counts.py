"""What is counted of a picture: pairs of cells, chances, areas, scores of tiles."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from her2path.domain.ihc import IhcScore, IhcTally, Intensity, Pattern
from her2path.domain.label_classes import LabelClass
from her2path.imaging.ihc.calibration import Calibration
from her2path.imaging.phantoms.ihc import compose_ihc
from her2path.imaging.phantoms.ihc_random import random_spec
from her2path.io.model_store import open_model
from her2path.training.evaluation import ready_stored
from her2path.training.evaluation_counts import SIZE, joined, measure, paired_right, part, scored_tile
from her2path.training.evaluation_figures import CELLS, FIGURES, MEAN_RECALL, NUCLEI, TUMOUR_NUCLEI
from her2path.training.evaluation_truth import UNKNOWN, truth_of_labels, truth_of_scene
from her2path.training.labels import LabelledCell, LabelledImage

SEED = 1_990_002


@pytest.fixture(scope="module")
def truth():
    return truth_of_scene(compose_ihc(random_spec(SEED, size_px=384, artefacts=False)), seed=SEED)


@pytest.fixture(scope="module")
def model():
    return ready_stored(open_model("her2-star-2"))


@pytest.fixture(scope="module")
def measured(model, truth):
    return measure(model, truth)


def square(x: float, y: float, half: float = 10) -> np.ndarray:
    return np.array(
        [[x - half, y - half], [x + half, y - half], [x + half, y + half], [x - half, y + half]], np.float64
    )


def labelled(*cells: LabelledCell, score: IhcScore | None = None, **regions: np.ndarray) -> LabelledImage:
    return LabelledImage(
        item_id="i",
        origin=(0, 0),
        rgb=np.full((128, 128, 3), 240, np.uint8),
        cells=cells,
        regions={LabelClass(name): mask for name, mask in regions.items()},
        instances=None,
        instances_are=None,
        taught=np.ones((128, 128), np.bool_),
        score=score,
    )


def test_no_more_nuclei_are_matched_than_are_there_or_were_found(measured):
    true, found, matched = part(measured.counts, "nuclei")
    assert 0 < matched <= min(true, found)
    assert 0.5 < NUCLEI.statistic(measured.counts) <= 1


def test_every_tumour_cell_with_a_class_stands_in_one_place_of_the_table(measured, truth):
    inside = truth.score_known & truth.at(truth.clear, truth.centres)
    assert part(measured.counts, "cells").sum() == inside.sum() == len(measured.is_right)
    assert np.trace(part(measured.counts, "cells")[:, :4]) == measured.is_right.sum()


def test_a_model_beside_itself_has_no_cell_that_only_one_calls_right(measured):
    _, only_new, only_old, _ = paired_right(measured, measured)
    assert only_new == only_old == 0


def test_pairs_are_told_by_who_is_right(measured):
    right = np.array([True, True, False, False])
    other = np.array([True, False, True, False])
    one, two = replace(measured, is_right=right), replace(measured, is_right=other)
    assert paired_right(one, two).tolist() == [1, 1, 1, 1]


def test_chances_of_expression_are_those_of_places_within_tumour_cells(measured, truth):
    n = part(measured.counts, "expressed_chances")[0].sum()
    assert n == (truth.expressed != UNKNOWN).sum()


def test_figures_that_nothing_speaks_of_have_no_value():
    assert all(np.isnan(found.statistic(np.zeros(SIZE))) for found in FIGURES)


def test_a_picture_without_any_stained_cell_is_counted_by_the_one_class_that_occurs():
    table = np.zeros((4, 5))
    table[0] = [8, 1, 0, 0, 1]
    counts = joined({"cells": table})
    assert CELLS.statistic(counts) == MEAN_RECALL.statistic(counts) == pytest.approx(0.8)


def test_a_rare_class_counts_as_much_as_a_frequent_one_in_the_mean():
    table = np.zeros((4, 5))
    table[0, 0], table[3, 4] = 99, 1
    counts = joined({"cells": table})
    assert CELLS.statistic(counts) == pytest.approx(0.99)
    assert MEAN_RECALL.statistic(counts) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("strong", "column"),
    [
        pytest.param(11, 3, id="11 % strong and complete: 3+"),
        pytest.param(10, 2, id="10 % on the cut: 2+"),
        pytest.param(0, 0, id="nothing stains: 0"),
    ],
)
def test_a_tile_is_scored_by_the_guideline(strong, column):
    tally = {(Intensity.STRONG, Pattern.COMPLETE): strong, (Intensity.NONE, Pattern.NONE): 100 - strong}
    counts = scored_tile(IhcScore.THREE_PLUS, IhcTally(tally), Calibration(limit_of_blank_pct=0.0))
    assert part(counts, "tiles")[3].tolist() == [float(place == column) for place in range(5)]


def test_a_tile_without_a_tumour_cell_has_no_score():
    counts = scored_tile(IhcScore.ZERO, IhcTally({}), Calibration())
    assert part(counts, "tiles")[0].tolist() == [0, 0, 0, 0, 1]


def test_of_a_cell_labelled_0_it_is_known_that_nothing_stains_and_of_1_it_is_not_known_where():
    truth = truth_of_labels(
        labelled(
            LabelledCell(LabelClass.TUMOUR_0, square(40, 40)),
            LabelledCell(LabelClass.TUMOUR_1, square(70, 40)),
            LabelledCell(LabelClass.TUMOUR_3, square(40, 80)),
        )
    )
    assert [int(truth.expressed[y // 2, x // 2]) for x, y in ((40, 40), (70, 40), (40, 80))] == [
        0,
        UNKNOWN,
        1,
    ]


def test_a_cell_is_looked_for_at_its_nucleus_where_one_was_drawn():
    cell = LabelledCell(LabelClass.TUMOUR, square(60, 60), square(66, 60, 4))
    assert truth_of_labels(labelled(cell)).centres.tolist() == [[66.0, 60.0]]


def test_an_image_of_a_patient_scored_0_is_blank_and_one_scored_1_is_not():
    assert truth_of_labels(labelled(score=IhcScore.ZERO)).is_blank
    assert not truth_of_labels(labelled(score=IhcScore.ONE_PLUS)).is_blank


def test_an_image_whose_cells_are_all_labelled_0_is_blank():
    assert truth_of_labels(labelled(LabelledCell(LabelClass.TUMOUR_0, square(60, 60)))).is_blank
    assert not truth_of_labels(labelled(LabelledCell(LabelClass.STROMA, square(60, 60)))).is_blank


def test_nuclei_found_in_a_drawn_tumour_are_counted_by_what_they_are_called(model, truth):
    nothing = np.zeros_like(truth.clear)
    drawn = replace(truth, tumour_areas=truth.clear, other_areas=nothing)
    inside, called, other, _ = part(measure(model, drawn).counts, "areas")
    assert inside > called > 0
    assert other == 0


def test_no_phantom_cell_is_known_twice(truth):
    assert truth.is_tumour.sum() == truth.score_known.sum()
    assert TUMOUR_NUCLEI.statistic(np.zeros(SIZE)) is not None
