"""Nuclei from the maps of a network: peaks, outlines, overlaps, and independence of tiles."""

from __future__ import annotations

import numpy as np
import pytest

from her2path.errors import ModelError
from her2path.imaging.ihc.learned import (
    MARGIN_UM,
    LearnedCuts,
    LearnedFinder,
    NamedWeights,
    learned_method,
    nuclei_of_maps,
)
from her2path.imaging.ihc.rays import ANGLES
from her2path.imaging.nets.inference import Maps, Predictor
from her2path.imaging.nets.registry import ARCHITECTURES
from her2path.imaging.stain import StainAmounts, StainModel, separate
from tests.support.nets import ARCHITECTURE_ID, random_weights

MPP = 0.5


def maps_of(discs: list[tuple[float, float, float, float]], side: int = 96) -> Maps:
    """Maps of discs: place (row and column, µm), radius (µm), chance of a tumour cell."""
    rows, columns = np.indices((side, side)) + 0.5
    depth = np.zeros((side, side), np.float32)
    radii = np.full((ANGLES, side // 2, side // 2), 0.3, np.float32)
    tumour = np.zeros((side // 2, side // 2), np.float32)
    for row, column, radius, chance in discs:
        depth = np.maximum(depth, 1 - np.hypot(rows - row, columns - column) / radius)
        coarse = np.hypot(*(np.indices(tumour.shape) * 2 + 1 - np.array([row, column])[:, None, None]))
        radii[:, coarse < radius] = radius
        tumour[coarse < radius] = chance
    expressed = np.zeros((side, side, 2), np.float32)
    cells = np.full_like(radii, 9)
    return Maps(np.clip(depth, 0, 1).astype(np.float32), expressed, tumour, radii, cells, 0, 0)


def found(discs: list[tuple[float, float, float, float]]):
    blue = np.full((192, 192), 0.3, np.float32)
    return nuclei_of_maps(maps_of(discs), StainAmounts(blue, blue * 0, blue * 0), mpp=MPP, cuts=LearnedCuts())


def test_each_peak_becomes_a_nucleus_with_its_outline_and_its_kind():
    nuclei = found([(30, 30, 5, 0.9), (60, 70, 3, 0.1)])
    assert len(nuclei) == 2
    assert nuclei.x * MPP == pytest.approx([30, 70], abs=1.5)
    assert nuclei.y * MPP == pytest.approx([30, 60], abs=1.5)
    assert nuclei.area_um2 == pytest.approx([np.pi * 25, np.pi * 9], rel=0.02)
    assert nuclei.tumour == pytest.approx([0.9, 0.1], abs=0.02)


def test_two_peaks_within_one_outline_are_one_nucleus():
    assert len(found([(30, 30, 6, 1), (32, 33, 5, 1)])) == 1


def test_two_nuclei_that_touch_stay_two():
    assert len(found([(30, 30, 5, 1), (30, 40, 5, 1)])) == 2


def test_specks_are_no_nuclei():
    assert len(found([(30, 30, 1.5, 1)])) == 0


def test_an_empty_tile_has_no_nuclei():
    assert len(found([])) == 0


def test_a_cell_is_outlined_as_the_network_says_but_never_within_its_nucleus():
    nuclei = found([(30, 30, 5, 1)])
    assert nuclei.cell_um is not None
    assert nuclei.cell_um[0] == pytest.approx(np.full(32, 9), abs=0.1)
    crowded = found([(30, 30, 11, 1)])
    assert crowded.cell_um is not None
    assert (crowded.cell_um[0] >= 10.9).all()


@pytest.fixture(scope="module")
def finder() -> LearnedFinder:
    predictor = Predictor(ARCHITECTURES[ARCHITECTURE_ID], random_weights(), model_id="random")
    return LearnedFinder(predictor, LearnedCuts(depth=0.3))


@pytest.mark.parametrize(("row", "col"), [(8, 16), (37, 51)], ids=["on the grid", "off the grid"])
def test_nuclei_do_not_depend_on_where_a_tile_was_cut(finder, row, col):
    """Random weights give many overlapping candidates, which is harder than any tissue."""
    rgb = np.random.default_rng(5).integers(80, 250, (640, 640, 3), dtype=np.uint8)
    whole = separate(rgb, StainModel(), with_residual=True)
    part = separate(np.ascontiguousarray(rgb[row:, col:]), StainModel(), with_residual=True)
    margin = MARGIN_UM / MPP + 60
    expected = finder(whole, mpp=MPP, origin=(0, 0))
    cut = finder(part, mpp=MPP, origin=(row, col))
    places = []
    for given, top, left in ((expected, 0, 0), (cut, row, col)):
        nuclei = given.nuclei
        assert given.expression is not None
        own = given.expression.along(nuclei.x, nuclei.y, nuclei.cell_um)
        x, y = nuclei.x + left, nuclei.y + top
        inside = (x > margin) & (x < 640 - margin) & (y > margin) & (y < 640 - margin)
        rays = [nuclei.cell_um, own.chance, own.amount_od_um]
        numbers = [x, y, nuclei.area_um2, nuclei.tumour, *rays, nuclei.hematoxylin]
        places.append(np.column_stack(numbers)[inside])
    assert len(places[0]) > 20
    np.testing.assert_array_equal(places[0][:, :-1], places[1][:, :-1])
    np.testing.assert_allclose(places[0][:, -1], places[1][:, -1], atol=1e-6)


def test_a_card_with_cuts_that_this_version_does_not_know_is_refused():
    network = NamedWeights("her2-x", ARCHITECTURE_ID, random_weights())
    with pytest.raises(ModelError, match=r"'her2-x'.*not understood.*brownness"):
        learned_method(network, calibration=("learned-9", {"brownness": 1.0}), device="cpu", threads=1)
