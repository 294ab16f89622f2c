"""The chain from RGB to measured cells on phantoms with known truth."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from scipy.spatial import cKDTree

from her2path.imaging.ihc.calibration import Calibration
from her2path.imaging.ihc.cells import prepare_maps, trace_cells
from her2path.imaging.ihc.measure import CLASSICAL, Core, measure_cells
from her2path.imaging.ihc.membrane import measure_membranes
from her2path.imaging.ihc.overlay import EXCLUDED_RGB, SCORE_RGB, Overlay
from her2path.imaging.phantoms.ihc import render_ihc
from her2path.imaging.phantoms.ihc_spec import SCORE_PRESETS, STYLES, IhcPhantomSpec
from her2path.imaging.stain import separate
from her2path.imaging.stain_estimation import estimate_stain_model

MPP = 0.5
MARGIN = round(CLASSICAL.margin_um / MPP)


def rendered(preset, *, style="crisp", seed=5, side=640):
    spec = IhcPhantomSpec(
        seed=seed, width_px=side, height_px=side, mpp=MPP, classes=SCORE_PRESETS[preset], style=STYLES[style]
    )
    return render_ihc(spec)


def model_of(rgb):
    return estimate_stain_model(rgb, mpp=MPP)


def measured(rgb, model, tile):
    """All cells of an image cut into tiles: x, y, completeness, contrast, area, score."""
    height, width = rgb.shape[:2]
    padded = np.pad(rgb, ((MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0)), constant_values=255)
    rows = []
    for top in range(0, height, tile):
        for left in range(0, width, tile):
            core = Core(MARGIN, MARGIN, min(tile, height - top), min(tile, width - left))
            part = padded[top : top + core.height + 2 * MARGIN, left : left + core.width + 2 * MARGIN]
            origin = (top - MARGIN, left - MARGIN)
            cells = measure_cells(part, model, mpp=MPP, core=core, origin=origin, calibration=Calibration())
            rows.append(
                np.column_stack(
                    [
                        cells.x + origin[1],
                        cells.y + origin[0],
                        cells.membranes.completeness,
                        np.nan_to_num(cells.membranes.contrast_od),
                        cells.cell_area_um2,
                        cells.grades.score,
                    ]
                )
            )
    table = np.concatenate(rows)
    return table[np.lexsort((table[:, 0].round(3), table[:, 1].round(3)))]


@pytest.fixture(scope="module")
def strong():
    return rendered("3+")


def test_tiles_of_three_sizes_give_the_same_cells(strong):
    model = model_of(strong.rgb)
    whole = measured(strong.rgb, model, 640)
    assert len(whole) > 150
    for tile in (320, 213):
        cut = measured(strong.rgb, model, tile)
        assert len(cut) == len(whole)
        assert cut == pytest.approx(whole, abs=1e-6)


def test_a_cell_measured_alone_is_to_the_last_digit_what_it_is_among_others(strong):
    stains = separate(strong.rgb, model_of(strong.rgb))
    found = CLASSICAL(stains, mpp=MPP, origin=(0, 0))
    maps = prepare_maps(stains, found, mpp=MPP)
    every = np.arange(len(found.nuclei))

    def membranes_of(chosen):
        return measure_membranes(trace_cells(maps, chosen=chosen), Calibration())

    among = membranes_of(every)
    for number in every[::25]:
        alone = membranes_of(every[number : number + 1])
        for field in fields(alone):
            ours, theirs = getattr(alone, field.name)[0], getattr(among, field.name)[number]
            assert ours.tobytes() == theirs.tobytes(), field.name


def matched(phantom, table):
    """Rows of `table` for tumour cells with a nucleus that is not cut off; -1 where none was found."""
    cells = phantom.cells
    real = cells.is_tumour & np.isfinite(cells.nucleus_x_px0) & ~cells.touches_edge & cells.nucleus_in_focus
    points = np.column_stack([cells.nucleus_x_px0, cells.nucleus_y_px0])[real]
    distance, place = cKDTree(table[:, :2]).query(points, distance_upper_bound=3 / MPP)
    return np.flatnonzero(real), np.where(np.isfinite(distance), place, -1)


def test_nuclei_of_a_strongly_stained_phantom_are_found(strong):
    _, place = matched(strong, measured(strong.rgb, model_of(strong.rgb), 640))
    assert (place >= 0).mean() > 0.93


def test_cells_that_show_a_strong_border_score_3_and_bare_ones_score_0(strong):
    table = measured(strong.rgb, model_of(strong.rgb), 640)
    cells, place = matched(strong, table)
    cells, score = cells[place >= 0], table[place[place >= 0], 5]
    intensity = strong.cells.shown_intensity[cells]
    complete = strong.cells.shown_completeness[cells] > 0.9
    assert (score[(intensity == "strong") & complete] == 3).mean() > 0.85
    assert (score[intensity == "none"] == 0).mean() > 0.95


@pytest.mark.parametrize("style", ["crisp", "violet", "blue", "pale"])
def test_a_phantom_without_staining_stays_within_the_limit_of_blank(style):
    phantom = rendered("null", style=style)
    table = measured(phantom.rgb, model_of(phantom.rgb), 640)
    assert 100 * (table[:, 5] > 0).mean() <= Calibration().limit_of_blank_pct


def test_a_blank_tile_holds_no_cells():
    blank = np.full((400, 400, 3), 244, np.uint8)
    assert len(measured(blank, model_of(blank), 400)) == 0


def test_the_overlay_draws_scores_in_their_colours_and_leaves_its_input_alone():
    rgb = np.full((80, 80, 3), 250, np.uint8)
    picture = Overlay(rgb, px0_per_px=4.0)
    square = np.array([[40, 40], [160, 40], [160, 160], [40, 160]], float)
    picture.draw([square, square + 150], [3, None])
    done = picture.finished()
    assert (rgb == 250).all()
    assert done[25, 10].tolist() == pytest.approx(SCORE_RGB[3], abs=90)
    assert tuple(done[62, 62]) == EXCLUDED_RGB
    assert tuple(done[25, 25]) == (250, 250, 250)
