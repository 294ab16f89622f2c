"""Does the validation itself count rightly?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from her2path.imaging.pairing import pair_up
from her2path.imaging.phantoms.ihc import IhcPhantom, render_ihc
from her2path.imaging.phantoms.ihc_spec import SCORE_PRESETS
from tests.validation.ihc.agreement import BORDER_UM, compare, shown_classes
from tests.validation.ihc.measures import Measure, detection_f1, phantom_rows, score_agreement
from tests.validation.ihc.reading import Reading
from tests.validation.ihc.slides import (
    DEVELOPMENT_SEEDS,
    VALIDATION_SEEDS,
    ValidationSlide,
    borderline_slides,
    scored_slides,
)


@pytest.fixture(scope="module")
def slide() -> ValidationSlide:
    found = next(iter(scored_slides(development=True)))
    small = replace(found.spec, width_px=400, height_px=400, mpp=0.5, classes=SCORE_PRESETS["2+"])
    return replace(found, spec=small)


@pytest.fixture(scope="module")
def phantom(slide) -> IhcPhantom:
    return render_ihc(slide.spec)


def perfect(phantom: IhcPhantom) -> Reading:
    cells = phantom.cells
    seen = cells.is_tumour & np.isfinite(cells.nucleus_x_px0)
    classes = zip(shown_classes(phantom), seen[cells.is_tumour], strict=True)
    return Reading(
        cells.nucleus_x_px0[seen],
        cells.nucleus_y_px0[seen],
        cells.shown_completeness[seen],
        tuple(kind for kind, here in classes if here),
        score="2+",
        seconds=1.0,
    )


def test_the_truth_read_back_is_without_fault(slide, phantom):
    found = compare(slide, phantom, perfect(phantom), "perfect")
    assert found.true_positives > 50
    assert (found.false_positives, found.false_negatives) == (0, 0)
    assert found.completeness_mae["shown"] == 0
    assert detection_f1([found]).value == 1


def test_a_cell_five_micrometres_off_is_both_missed_and_invented(slide, phantom):
    right = perfect(phantom)
    n = compare(slide, phantom, right, "perfect").true_positives
    middle = np.hypot(right.x_px0 - 200, right.y_px0 - 200).argmin()
    x = right.x_px0.copy()
    x[middle] = -100
    found = compare(slide, phantom, replace(right, x_px0=x), "one off the image")
    assert (found.true_positives, found.false_negatives, found.false_positives) == (n - 1, 1, 0)
    assert found.missed == {"not found": 1}


def test_cells_at_the_border_are_neither_asked_for_nor_held_against_a_method(slide, phantom):
    right = perfect(phantom)
    margin = BORDER_UM / slide.spec.mpp
    x, y = right.x_px0, right.y_px0
    inside = (x >= margin) & (x <= 400 - margin) & (y >= margin) & (y <= 400 - margin)
    kept = Reading(x[inside], y[inside], right.completeness[inside], (), "2+", 1.0)
    found = compare(slide, phantom, kept, "without the border")
    assert (found.false_positives, found.false_negatives) == (0, 0)


def test_a_scored_stroma_cell_is_called_by_its_name(slide, phantom):
    stroma = np.flatnonzero(phantom.cells.kind == "stroma")
    middle = stroma[
        np.hypot(
            phantom.cells.nucleus_x_px0[stroma] - 200, phantom.cells.nucleus_y_px0[stroma] - 200
        ).argmin()
    ]
    right = perfect(phantom)
    more = replace(
        right,
        x_px0=np.append(right.x_px0, phantom.cells.nucleus_x_px0[middle]),
        y_px0=np.append(right.y_px0, phantom.cells.nucleus_y_px0[middle]),
        completeness=np.append(right.completeness, 0.0),
    )
    found = compare(slide, phantom, more, "with one fibroblast")
    assert found.invented == {"no nucleus": 0, "stroma": 1}


def test_two_found_cells_never_share_one_true_cell():
    one, other = pair_up(np.array([[0.0, 0], [1, 0]]), np.array([[0.4, 0.0]]), 4.0)
    assert (one.tolist(), other.tolist()) == ([0], [0])


def test_a_refusal_is_no_agreement(slide, phantom):
    refused = compare(slide, phantom, replace(perfect(phantom), score="refused: no_tissue"), "refusing")
    assert score_agreement([refused], borderline=False).value == 0


def test_a_method_without_completeness_has_no_row_for_it(slide, phantom):
    right = perfect(phantom)
    none = replace(right, completeness=np.full(len(right.completeness), np.nan))
    rows = phantom_rows([compare(slide, phantom, none, "no completeness")])
    assert not [row for row in rows if "completeness" in row.name]


@pytest.mark.parametrize(
    ("value", "direction", "passed"),
    [
        pytest.param(0.90, "at least", True, id="F1 on the cut"),
        pytest.param(0.899, "at least", False, id="F1 below it"),
        pytest.param(0.90, "at most", True, id="error on the cut"),
        pytest.param(0.901, "at most", False, id="error above it"),
    ],
)
def test_a_value_on_the_cut_is_reached(value, direction, passed):
    assert Measure("m", "s", value, threshold=0.90, direction=direction).passed is passed


def test_there_are_sixty_slides_with_all_styles_and_kinds_of_tissue():
    found = list(scored_slides(development=False))
    assert len(found) == len({slide.name for slide in found}) == 60
    assert {slide.tissue for slide in found} == {"plain", "lifelike", "random"}
    assert {"crisp", "classic", "violet", "blue", "pale", "random"} == {s.spec.style.name for s in found}
    assert {"solid", "glandular", "trabecular", "discohesive"} == {s.spec.architecture for s in found}


def test_validation_seeds_and_development_seeds_do_not_meet():
    seeds = {
        development: {
            s.spec.seed
            for s in (*scored_slides(development=development), *borderline_slides(development=development))
        }
        for development in (False, True)
    }
    assert all(770_000 <= seed < 800_000 for seed in seeds[False])
    assert all(500_000 <= seed < 600_000 for seed in seeds[True])
    assert VALIDATION_SEEDS - DEVELOPMENT_SEEDS == 200_000
