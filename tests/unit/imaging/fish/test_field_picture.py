"""Fields at a glance: fates by outline, quantities by fill."""

from __future__ import annotations

import numpy as np
import pytest

from her2path.imaging.fish.field_picture import (
    COPIES,
    RATIO,
    Fate,
    Scan,
    render_heterogeneity,
    render_overview,
    view_of,
)


def a_view(side: int = 400):
    labels = np.zeros((side, side), np.int32)
    labels[40:120, 40:120], labels[200:280, 200:280] = 1, 2
    return view_of("f1", (100.0 + 50 * (labels > 0)).astype(np.float32), labels, mpp=0.16)


@pytest.mark.parametrize(
    ("scale", "on_cut", "below"), [(RATIO, 2.0, 1.99), (COPIES, 4.0, 3.0)], ids=["ratio 2.0", "4 copies"]
)
def test_the_guidelines_cut_parts_blue_from_yellow(scale, on_cut, below):
    red, _, blue = scale.colour(on_cut)
    assert red > blue
    red, _, blue = scale.colour(below)
    assert blue > red


def test_labels_of_the_steps_hold_every_value_once():
    assert RATIO.labels == ("<1.5", "1.5 to <2", "2 to <3", "3 to <6", "6 or more")


def test_a_second_population_is_outlined_more_strongly_than_the_others():
    page = render_overview([a_view()], {1: Fate.COUNTED, 2: Fate.SECOND}).astype(int)
    orange = (page[..., 0] > 200) & (page[..., 2] < 120)
    blue = (page[..., 2] > 200) & (page[..., 0] < 130)
    assert orange[40:].sum() > blue[40:].sum() > 300


def test_fields_of_a_scan_are_tiled_and_marked_on_its_map():
    scan = Scan(5000.0, 2500.0, {"s.f1": (0.0, 0.0, 350.0, 350.0), "s.f2": (4000.0, 2000.0, 350.0, 350.0)})
    fates = {1: Fate.COUNTED, 2: Fate.COUNTED}
    views = [a_view(), a_view()]
    with_map, without = render_overview(views, fates, scan), render_overview(views, fates)
    assert with_map.shape[0] - without.shape[0] == 160 + 34
    # Two fields stand side by side: one row of pictures.
    assert without.shape[0] < 2 * 400
    assert without.shape[1] > 2 * 400


def test_nuclei_are_filled_by_their_own_value():
    page = render_heterogeneity([a_view()], [(COPIES, {1: 2.0, 2: 20.0})], frozenset())
    # The legend above holds every colour whatever the nuclei are filled with.
    colours = {tuple(colour) for colour in page[50:].reshape(-1, 3)}
    assert any(blue > 120 and red < 80 for red, _, blue in colours)
    assert any(red > 150 and blue < 60 for red, _, blue in colours)


def test_a_large_field_is_shown_smaller_with_its_labels_in_place():
    view = view_of("f1", np.zeros((3000, 1500), np.float32), np.ones((3000, 1500), np.int32), mpp=0.1)
    assert max(view.dapi.shape) == 1180
    assert view.labels.shape == view.dapi.shape
    assert view.mpp == pytest.approx(0.1 * 3000 / 1180)


def test_the_same_field_gives_the_same_pixels():
    pages = [render_overview([a_view()], {1: Fate.COUNTED, 2: Fate.EXCLUDED}) for _ in range(2)]
    assert np.array_equal(*pages)
