"""Cells and their membranes: what counts as a stained membrane and what must not."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from her2path.imaging.ihc.calibration import Calibration
from her2path.imaging.ihc.cells import prepare_maps, trace_cells
from her2path.imaging.ihc.expression import Expressed
from her2path.imaging.ihc.finder import Found
from her2path.imaging.ihc.membrane import measure_membranes
from her2path.imaging.ihc.nuclei import detect_nuclei
from her2path.imaging.stain import StainAmounts

MPP = 0.5
SIDE = 160
CENTRE = SIDE / 2
ROWS, COLS = np.mgrid[:SIDE, :SIDE]
DISTANCE_UM = np.hypot(ROWS - CENTRE, COLS - CENTRE) * MPP
ANGLE = np.arctan2(ROWS - CENTRE, COLS - CENTRE)


def cell(
    membrane_od=0.0,
    *,
    cytoplasm_od=0.0,
    around_od=0.0,
    arc=1.0,
    grey=0.0,
    nucleus=0.25,
    half_um=0.5,
    blur_um=0.3,
):
    """One cell of 8 µm radius with a nucleus of 4 µm; `arc` is the stained share of its contour."""
    line = (np.abs(DISTANCE_UM - 8) < half_um) & (np.abs(ANGLE) <= np.pi * arc)
    brown = np.where(DISTANCE_UM < 8, cytoplasm_od, around_od) + line * membrane_od + line * grey
    brown[DISTANCE_UM < 4] = cytoplasm_od / 2
    blue = np.where(DISTANCE_UM < 4, nucleus, 0.04) + line * grey
    noise = np.random.default_rng(1).normal(0, 0.008, (2, SIDE, SIDE))
    images = [
        cv2.GaussianBlur(image, (0, 0), blur_um / MPP) + n
        for image, n in zip((blue, brown), noise, strict=True)
    ]
    return StainAmounts(*(image.astype(np.float32) for image in images))


def measure(stains):
    nuclei = detect_nuclei(stains, mpp=MPP)
    middle = np.hypot(nuclei.x - CENTRE, nuclei.y - CENTRE).argmin(keepdims=True)
    rays = trace_cells(prepare_maps(stains, Found(nuclei), mpp=MPP), chosen=middle)
    return rays, measure_membranes(rays, Calibration())


def test_an_evenly_stained_membrane_is_complete_and_its_density_is_measured():
    rays, membranes = measure(cell(0.8))
    assert membranes.completeness[0] > 0.95
    assert membranes.connectivity[0] > 0.95
    # Blur takes part of the density of a line 1 µm wide.
    assert 0.45 < membranes.od[0] < 0.8
    assert membranes.cytoplasm_od[0] == pytest.approx(0, abs=0.05)
    assert np.median(rays.contour_um) == pytest.approx(8, abs=0.6)


def test_an_unstained_cell_has_no_membrane_staining():
    _, membranes = measure(cell())
    assert membranes.completeness[0] == 0
    assert np.isnan(membranes.od[0])


@pytest.mark.parametrize("arc", [0.0, 0.5, 1.0])
def test_the_mean_over_the_whole_contour_counts_what_is_not_stained(arc):
    _, membranes = measure(cell(0.8, arc=arc))
    _, whole = measure(cell(0.8))
    assert membranes.whole_od[0] == pytest.approx(arc * whole.whole_od[0], abs=0.06)
    assert whole.whole_od[0] == pytest.approx(whole.od[0], rel=0.1)


@pytest.mark.parametrize("blush", [0.1, 0.3, 0.6])
def test_a_blush_of_the_cytoplasm_is_no_membrane(blush):
    _, membranes = measure(cell(cytoplasm_od=blush))
    assert membranes.completeness[0] < 0.15
    assert membranes.cytoplasm_od[0] == pytest.approx(blush, rel=0.3)


def test_a_tinted_background_is_no_membrane():
    _, membranes = measure(cell(cytoplasm_od=0.3, around_od=0.3))
    assert membranes.completeness[0] < 0.15


def test_a_stained_neighbour_without_a_line_between_is_no_membrane():
    _, membranes = measure(cell(around_od=0.4))
    assert membranes.completeness[0] < 0.15


def test_a_grey_line_is_no_membrane():
    _, membranes = measure(cell(grey=0.3))
    assert membranes.completeness[0] < 0.15


def test_a_dark_nucleus_casts_no_false_membrane():
    _, membranes = measure(cell(nucleus=0.9))
    assert membranes.completeness[0] < 0.15


@pytest.mark.parametrize("arc", [0.3, 0.5, 0.8])
def test_completeness_is_the_stained_share_of_the_contour(arc):
    _, membranes = measure(cell(0.5, arc=arc))
    assert membranes.completeness[0] == pytest.approx(arc, abs=0.15)
    assert membranes.connectivity[0] == pytest.approx(membranes.completeness[0], abs=0.05)


def test_contrast_is_over_the_cytoplasm_and_not_absolute():
    _, clean = measure(cell(0.5))
    _, blushed = measure(cell(0.5, cytoplasm_od=0.2))
    assert blushed.od[0] > clean.od[0] + 0.1
    assert blushed.contrast_od[0] == pytest.approx(clean.contrast_od[0], abs=0.12)


def test_an_outline_does_not_cross_a_gap_to_the_membrane_of_another_cell():
    # Glass between the cell (its edge at 7 µm) and a strongly stained line 11 µm away.
    stains = cell()
    far = (np.abs(DISTANCE_UM - 11) < 0.5) * 0.9
    gap = (DISTANCE_UM > 7) & (DISTANCE_UM < 10.5)
    blue = np.where(gap, 0, stains.hematoxylin)
    brown = cv2.GaussianBlur(far + np.where(gap, 0, stains.dab), (0, 0), 0.5)
    rays, membranes = measure(StainAmounts(blue.astype(np.float32), brown.astype(np.float32)))
    assert np.median(rays.contour_um) < 9
    assert membranes.completeness[0] < 0.15


def test_intensity_does_not_hang_on_the_sharpness_of_the_scan():
    _, sharp = measure(cell(0.5, blur_um=0.25))
    _, soft = measure(cell(0.5, blur_um=0.6))
    assert soft.contrast_od[0] < 0.75 * sharp.contrast_od[0]
    assert soft.excess_od_um[0] == pytest.approx(sharp.excess_od_um[0], rel=0.15)


@pytest.mark.parametrize("thick_um", [1.0, 1.5, 2.0])
def test_thickness_is_the_width_of_the_line(thick_um):
    # The camera's blur stays in it, ours does not.
    _, membranes = measure(cell(0.6, half_um=thick_um / 2))
    assert membranes.thickness_um[0] == pytest.approx(np.hypot(thick_um, 0.6), abs=0.35)


def test_noise_of_poorly_separated_stains_is_no_membrane():
    stains = cell(0.12)
    nuclei = detect_nuclei(stains, mpp=MPP)
    middle = np.hypot(nuclei.x - CENTRE, nuclei.y - CENTRE).argmin(keepdims=True)
    rays = trace_cells(prepare_maps(stains, Found(nuclei), mpp=MPP), chosen=middle)
    clear, noisy = (measure_membranes(rays, Calibration(), noise_gain=gain) for gain in (1.0, 4.0))
    assert clear.completeness[0] > 0.9
    assert noisy.completeness[0] < 0.15


@pytest.mark.parametrize(
    ("chance", "brown", "stained"), [(0.4, 0.5, False), (0.5, 0.5, True), (0.9, 0.5, True), (0.9, 0.0, False)]
)
def test_a_learned_finder_says_which_brown_lines_are_the_cells_own(chance, brown, stained):
    stains = cell(brown)
    nuclei = detect_nuclei(stains, mpp=MPP)
    middle = np.hypot(nuclei.x - CENTRE, nuclei.y - CENTRE).argmin(keepdims=True)
    rays = trace_cells(prepare_maps(stains, Found(nuclei), mpp=MPP), chosen=middle)
    own = Expressed(*(np.full(rays.contour.shape, value, np.float32) for value in (chance, 0.3)))
    membranes = measure_membranes(replace(rays, own=own), Calibration())
    assert membranes.completeness[0] == pytest.approx(1 if stained else 0)
    assert membranes.excess_od_um[0] == pytest.approx(0.3 if stained else np.nan, nan_ok=True)
    assert membranes.certainty[0] == pytest.approx(chance if stained else np.nan, nan_ok=True)
    assert np.isnan(measure_membranes(rays, Calibration()).certainty[0])
