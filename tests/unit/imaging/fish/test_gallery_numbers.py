"""Numbers of signals in the gallery: one for each ring, beside it, in the colour of its channel."""

from __future__ import annotations

import numpy as np
import pytest

from her2path.imaging.fish.gallery import Crop, Ring, display_of, render_gallery, render_single

SIDE = 112
NOTHING = np.zeros((SIDE, SIDE, 3), np.uint8)
MASK = np.zeros((SIDE, SIDE), np.bool_)


def page_of(*rings: Ring, columns: int = 8):
    crop = Crop(NOTHING, MASK, rings, ("#1", ""))
    return render_gallery([crop], [], headings=("Counted", "Not counted"), mpp=0.16, columns=columns)


def coloured(page, *, warm: bool):
    red, green, blue = (page[..., i].astype(int) for i in range(3))
    # The legend above is left out.
    hit = (red > green + 25) & (red > blue + 60) if warm else (green > red + 40) & (green > blue + 30)
    return hit[60:].sum()


def test_a_ring_has_a_number_in_the_colour_of_its_channel():
    her2 = page_of(Ring(56, 56, "her2", 1, 1, is_cluster=False))
    assert coloured(her2, warm=True) > 60
    assert coloured(her2, warm=False) == 0
    cep17 = page_of(Ring(56, 56, "cep17", 1, 1, is_cluster=False))
    assert coloured(cep17, warm=False) > 60
    assert coloured(cep17, warm=True) == 0


def test_another_number_is_another_picture():
    one, two = (page_of(Ring(56, 56, "her2", number, 1, is_cluster=False)) for number in (1, 2))
    assert not np.array_equal(one, two)


def test_a_cluster_is_wider_than_a_signal_and_states_its_copies():
    signal = page_of(Ring(56, 56, "her2", 1, 1, is_cluster=False))
    cluster, larger = (page_of(Ring(56, 56, "her2", 1, copies, is_cluster=True)) for copies in (8, 9))
    assert coloured(cluster, warm=True) > 1.5 * coloured(signal, warm=True)
    assert not np.array_equal(cluster, larger)


@pytest.mark.parametrize(("row", "col"), [(1, 1), (1, 111), (111, 1), (111, 111)])
def test_the_number_of_a_signal_in_a_corner_stays_on_the_picture(row, col):
    page = page_of(Ring(row, col, "her2", 12, 1, is_cluster=False))
    alone = page_of()
    changed = np.argwhere((page != alone).any(axis=2))
    # Nothing is drawn over the neighbouring crop or the words below.
    assert changed[:, 1].max() <= 6 + 200
    assert changed[:, 0].max() <= 56 + 200


def test_a_channel_alone_is_grey():
    planes = {"her2": np.arange(SIDE * SIDE, dtype=np.float32).reshape(SIDE, SIDE)}
    grey = render_single(planes["her2"], "her2", display_of([planes]))
    assert np.array_equal(grey[..., 0], grey[..., 2])
    assert grey[0, 0, 0] == 0
    assert grey[-1, -1, 0] == 255


def test_the_page_is_as_wide_as_its_columns():
    assert page_of(columns=9).shape[1] - page_of(columns=8).shape[1] == 206
