"""From spots to signals: doublets, clusters, bleed-through, dust and glow."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from her2path.imaging.fish.clusters import merge_doublets
from her2path.imaging.fish.learning import ProbeField, SameDyeError, SignalParams, learn_signals
from her2path.imaging.fish.signals import count_signals
from tests.support.fish_fields import Disc, Dot, draw_field

MPP = 0.16
SIZE = (384, 384)
CENTRES = [(r, c) for r in (64.5, 192.5, 320.5) for c in (64.5, 192.5, 320.5)]
DIAMETER_PX = 0.5 / MPP


def labels_of(size=SIZE):
    rows, cols = np.mgrid[: size[0], : size[1]] + 0.5
    labels = np.zeros(size, np.int32)
    for number, (row, col) in enumerate(CENTRES, start=1):
        labels[np.hypot(rows - row, cols - col) <= 36] = number
    return labels


def ordinary(channel, skip=()):
    """Three lone signals in every nucleus but those in `skip`."""
    shift = 0.0 if channel == 1 else 7.0
    return [
        Dot(channel, row + d_row, col + d_col + shift)
        for number, (row, col) in enumerate(CENTRES, start=1)
        if number not in skip
        for d_row, d_col in ((-22, -12), (0, 12), (20, -6))
    ]


def count(dots, planes=None):
    planes = draw_field([Disc(r, c, 36) for r, c in CENTRES], dots, size=SIZE) if planes is None else planes
    dapi, her2, cep17 = planes.astype(np.float32)
    shown = ProbeField(dapi, {"her2": her2, "cep17": cep17}, labels_of(), MPP)
    learnt = learn_signals(shown, SignalParams())
    return count_signals(shown, learnt, SignalParams()), learnt


def copies_in(found, role, nucleus):
    signals = found.channels[role].signals
    return int(signals.copies[signals.nucleus == nucleus].sum())


def test_lone_signals_count_one_each():
    found, _ = count(ordinary(1) + ordinary(2))
    assert [copies_in(found, "her2", n) for n in range(1, 10)] == [3] * 9
    assert [copies_in(found, "cep17", n) for n in range(1, 10)] == [3] * 9


@pytest.mark.parametrize(
    ("apart_um", "expected"),
    [
        pytest.param(0.35, 4, id="within one signal diameter: one signal"),
        pytest.param(0.45, 4, id="just within one signal diameter"),
        pytest.param(0.95, 5, id="further apart: two signals"),
    ],
)
def test_two_spots_count_as_one_within_a_signal_diameter(apart_um, expected):
    row, col = CENTRES[4]
    half = apart_um / MPP / 2
    pair = [Dot(1, row + 10, col + 14 - half, 500), Dot(1, row + 10, col + 14 + half, 500)]
    found, learnt = count(ordinary(1) + ordinary(2) + pair)
    assert learnt.single["her2"].diameter_um == pytest.approx(0.52, abs=0.06)
    assert copies_in(found, "her2", 5) == expected


def test_a_chain_of_spots_within_one_diameter_each_is_one_signal():
    places = np.array([0.0, 2.9, 5.8, 20.0])
    assert merge_doublets(places, np.zeros(4), within_px=3.0).tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize("copies", [5, 8, 14])
def test_a_cluster_is_marked_and_estimated_by_its_light(copies):
    rng = np.random.default_rng(copies)
    row, col = CENTRES[4]
    spread = 0.13 * copies**0.5 / MPP
    cluster = [Dot(1, row + a, col + b) for a, b in rng.normal(0, spread, (copies, 2))]
    found, _ = count(ordinary(1, skip=(5,)) + ordinary(2) + cluster)
    signals = found.channels["her2"].signals
    assert signals.is_cluster[signals.nucleus == 5].any()
    assert copies_in(found, "her2", 5) == pytest.approx(copies, rel=0.25)
    assert not signals.is_cluster[signals.nucleus != 5].any()


def test_signals_of_both_colours_on_the_same_place_are_one_of_each():
    row, col = CENTRES[4]
    found, _ = count([*ordinary(1), *ordinary(2), Dot(1, row + 10, col + 20), Dot(2, row + 10, col + 20)])
    assert (copies_in(found, "her2", 5), copies_in(found, "cep17", 5)) == (4, 4)


@pytest.mark.parametrize("share", [0.1, 0.35])
def test_orange_light_in_the_green_channel_is_no_cep17_signal(share):
    planes = draw_field([Disc(r, c, 36) for r, c in CENTRES], ordinary(1) + ordinary(2), size=SIZE)
    planes[2] = planes[2] + (share * (planes[1].astype(float) - 100)).clip(0).astype(np.uint16)
    found, learnt = count([], planes)
    assert learnt.bleed["cep17", "her2"].share == pytest.approx(share, abs=0.05)
    assert [copies_in(found, "cep17", n) for n in range(1, 10)] == [3] * 9
    assert [copies_in(found, "her2", n) for n in range(1, 10)] == [3] * 9


def test_light_of_one_dye_is_taken_away_where_it_lies_in_the_other_channel():
    planes = draw_field([Disc(r, c, 36) for r, c in CENTRES], ordinary(1) + ordinary(2), size=SIZE)
    beside = ndimage.shift(planes[2].astype(float) - 100, (1.4, -1.7), order=1).clip(0)
    planes[1] = planes[1] + (0.3 * beside).astype(np.uint16)
    found, learnt = count([], planes)
    bleed = learnt.bleed["her2", "cep17"]
    assert (bleed.down_px, bleed.right_px) == pytest.approx((1.4, -1.7), abs=0.3)
    assert [copies_in(found, "her2", n) for n in range(1, 10)] == [3] * 9


def test_two_channels_with_the_same_spots_are_refused():
    planes = draw_field([Disc(r, c, 36) for r, c in CENTRES], ordinary(1), size=SIZE)
    planes[2] = planes[1]
    with pytest.raises(SameDyeError):
        count([], planes)


def test_debris_that_glows_in_dapi_as_well_is_no_signal():
    row, col = CENTRES[4]
    planes = draw_field([Disc(r, c, 36) for r, c in CENTRES], ordinary(1) + ordinary(2), size=SIZE)
    rows, cols = np.mgrid[: SIZE[0], : SIZE[1]] + 0.5
    dust = 700 * np.exp(-((rows - row - 12) ** 2 + (cols - col - 22) ** 2) / (2 * 1.15**2))
    found, _ = count([], planes + dust.astype(np.uint16))
    assert (copies_in(found, "her2", 5), copies_in(found, "cep17", 5)) == (3, 3)


def test_glow_of_both_colours_hides_a_nucleus_and_adds_no_signal():
    planes = draw_field([Disc(r, c, 36) for r, c in CENTRES], ordinary(1) + ordinary(2), size=SIZE)
    rows, cols = np.mgrid[: SIZE[0], : SIZE[1]] + 0.5
    row, col = CENTRES[4]
    ring = np.abs(np.hypot(rows - row, cols - col - 12) - 14) < 3.5
    planes[1:, ring] += 500
    found, _ = count([], planes)
    assert [glow.nucleus for glow in found.glow] == [5]
    assert copies_in(found, "her2", 5) <= 3


def test_signals_over_the_cytoplasm_are_kept_apart_and_dust_far_off_is_left_out():
    row, col = CENTRES[4]
    near = Dot(1, row, col + 36 + 1.2 / MPP)
    far = Dot(1, row + 64, col + 64)
    found, _ = count([*ordinary(1), *ordinary(2), near, far])
    assert copies_in(found, "her2", 0) == 1
    assert copies_in(found, "her2", 5) == 3


def test_a_faint_spot_is_listed_as_weak_and_not_counted():
    row, col = CENTRES[4]
    found, _ = count([*ordinary(1), *ordinary(2), Dot(1, row + 12, col + 22, height=130)])
    assert copies_in(found, "her2", 5) == 3
    assert found.channels["her2"].weak.nucleus.tolist() == [5]


def few(nuclei):
    """One HER2 and one CEP17 signal in each of the first nuclei: too few to learn from."""
    return [dot for row, col in CENTRES[:nuclei] for dot in (Dot(1, row, col), Dot(2, row, col + 14))]


def test_a_field_of_few_signals_still_counts_them_where_most_nuclei_have_some():
    found, learnt = count(few(4))
    assert learnt.single == {"her2": None, "cep17": None}
    assert [copies_in(found, "her2", n) for n in range(1, 6)] == [1, 1, 1, 1, 0]
    assert [copies_in(found, "cep17", n) for n in range(1, 6)] == [1, 1, 1, 1, 0]


def test_spots_over_some_nuclei_of_an_unhybridised_field_are_no_signals():
    found, _ = count(few(3))
    assert sum(copies_in(found, "her2", n) for n in range(1, 10)) == 0
    assert len(found.channels["her2"].weak) == 3


def test_a_granule_that_shines_more_in_one_colour_is_glow_and_no_cluster():
    planes = draw_field([Disc(r, c, 36) for r, c in CENTRES], ordinary(1) + ordinary(2), size=SIZE)
    rows, cols = np.mgrid[: SIZE[0], : SIZE[1]] + 0.5
    granule = np.exp(-((rows - CENTRES[4][0]) ** 2 + (cols - CENTRES[4][1] - 20) ** 2) / (2 * 5.0**2))
    planes = planes + (np.array([0, 2500, 700])[:, None, None] * granule).astype(np.uint16)
    found, _ = count([], planes)
    assert not found.channels["her2"].signals.is_cluster.any()
    assert [glow.nucleus for glow in found.glow] == [5]


def test_the_same_field_gives_the_same_signals():
    dots = ordinary(1) + ordinary(2)
    first, second = (count(dots)[0].channels["her2"].signals for _ in range(2))
    np.testing.assert_array_equal(first.row, second.row)
    np.testing.assert_array_equal(first.copies, second.copies)
