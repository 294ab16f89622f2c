"""Which cells a page holds, and that they come back from it where they lie."""

from __future__ import annotations

import numpy as np
import pytest

from her2path.errors import ArtefactError
from her2path.io.qupath_cells import CellScheme
from her2path.io.slide_view_file import ViewSpot
from her2path.reports.shown_cells import CORNERS, NOT_SCORED, CellLimits, choose_cells, pack_cells
from tests.support.viewed_case import write_viewed_case

SIZE = (1500, 1200)
SPOT = ViewSpot(100.0, 60.0, 1.0, 400, 400, b"")
ALL = CellLimits(10_000, 10_000)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    _, artefacts = write_viewed_case(tmp_path_factory.mktemp("viewed"), cells=2000, size_px0=SIZE)
    return artefacts[0].parent


def chosen(folder, limits=ALL, **options):
    tables = folder / "ihc_cells.parquet", folder / "ihc_contours.parquet"
    return choose_cells(*tables, spots=[SPOT], limits=limits, **options)


def unpacked(packed):
    n, m = packed.cells, packed.outlines
    xy = np.frombuffer(packed.data, "<u2", 2 * n).reshape(2, n) * packed.px0_per_step
    kind = np.frombuffer(packed.data, np.uint8, n, 4 * n)
    ring = np.frombuffer(packed.data, np.int8, offset=5 * n).reshape(m, CORNERS, 2)
    return xy, kind, ring * packed.px0_per_outline_step


def test_packed_cells_lie_within_a_hundredth_of_a_pixel_of_where_they_were_measured(folder):
    cells = chosen(folder)
    xy, kind, ring = unpacked(pack_cells(cells, size_px0=SIZE))
    assert np.abs(xy[0] - cells.x_px0).max() < 0.02
    assert np.array_equal(kind, cells.kind)
    offsets = cells.outlines_px0 - np.stack([cells.x_px0, cells.y_px0], axis=-1)[: len(ring), None]
    assert np.abs(ring - offsets).max() < 0.1


def test_a_whole_slide_of_100_000_pixels_keeps_its_cells_within_a_pixel(folder):
    cells = chosen(folder)
    xy, _, _ = unpacked(pack_cells(cells, size_px0=(100_000, 80_000)))
    assert np.abs(xy[1] - cells.y_px0).max() < 1


def test_all_cells_are_drawn_where_there_is_room(folder):
    cells = chosen(folder)
    assert not cells.is_choice
    assert sum(cells.drawn) == 2000
    assert cells.drawn[NOT_SCORED] == 200
    assert len(cells.outlines_px0) == 1800


def test_cells_of_hot_spots_come_first_then_an_even_choice_of_scored_ones(folder):
    cells = chosen(folder, CellLimits(800, 300))
    inside = (cells.x_px0 >= 100) & (cells.x_px0 < 500) & (cells.y_px0 >= 60) & (cells.y_px0 < 460)
    everyone = chosen(folder)
    within = (everyone.x_px0 >= 100) & (everyone.x_px0 < 500)
    within &= (everyone.y_px0 >= 60) & (everyone.y_px0 < 460) & (everyone.kind != NOT_SCORED)
    assert inside.sum() == within.sum()
    assert cells.drawn[NOT_SCORED] == 0
    assert len(cells.outlines_px0) == 300
    assert cells.found == everyone.found
    # Of the rest each quarter of the slide holds about its share.
    rest = cells.x_px0[~inside]
    quarters = np.histogram(rest, bins=4, range=(0, 1500))[0] / len(rest)
    places = np.histogram(everyone.x_px0[~within], bins=4, range=(0, 1500))[0] / (~within).sum()
    assert np.abs(quarters - places).max() < 0.06


def test_the_choice_is_the_same_each_time(folder):
    one, other = (chosen(folder, CellLimits(500, 100)) for _ in range(2))
    assert np.array_equal(one.x_px0, other.x_px0)
    assert pack_cells(one, size_px0=SIZE).data == pack_cells(other, size_px0=SIZE).data


def test_guidelines_that_read_levels_class_cells_by_them(folder):
    cells = chosen(folder, scheme=CellScheme.LEVELS)
    assert cells.drawn[:4] == chosen(folder).drawn[:4]
    assert cells.scheme.scored[3].name == "Tumor: Strong"


def test_outlines_of_another_slide_are_refused(folder, tmp_path):
    _, other = write_viewed_case(tmp_path, cells=50, size_px0=(300, 300))
    tables = folder / "ihc_cells.parquet", other[0].parent / "ihc_contours.parquet"
    with pytest.raises(ArtefactError, match="other cells"):
        choose_cells(*tables, spots=[], limits=ALL)
