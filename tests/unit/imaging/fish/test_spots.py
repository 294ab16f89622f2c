"""Spots: where they are, how far they stand out, and whose they are."""

from __future__ import annotations

import numpy as np
import pytest

from her2path.imaging.fish.spots import SpotParams, detect_spots, learn_sigma
from her2path.imaging.fish.territories import territories_of
from tests.support.fish_fields import Disc, Dot, draw_field

MPP = 0.16
PARAMS = SpotParams(min_snr=6.0)


def detect(dots, *, seed=1, labels=None):
    plane = draw_field([], dots, seed=seed)[1].astype(np.float32)
    nuclei = np.zeros(plane.shape, np.int32) if labels is None else labels
    return detect_spots(plane, territories_of(nuclei, reach_px=2.5), mpp=MPP, sigma_um=0.184, params=PARAMS)


def test_a_spot_is_placed_within_a_tenth_of_a_pixel():
    spots = detect([Dot(1, 100.3, 80.7)])
    assert (spots.row[0], spots.col[0]) == pytest.approx((100.3, 80.7), abs=0.1)


def test_the_height_of_a_lone_spot_is_that_of_the_light_it_adds():
    (height,) = detect([Dot(1, 100.3, 80.7, height=1000, sigma=1.2)]).height
    assert height == pytest.approx(1000, rel=0.04)


def test_a_spot_beside_another_is_freed_from_its_light():
    spots = detect([Dot(1, 100.3, 80.7, height=1000, sigma=1.2), Dot(1, 100.3, 84.7, height=400, sigma=1.2)])
    assert spots.height == pytest.approx([1000, 400], rel=0.06)
    assert spots.col == pytest.approx([80.7, 84.7], abs=0.1)


def test_two_signals_of_three_widths_apart_are_two_spots():
    assert len(detect([Dot(1, 100.3, 80.7, sigma=1.2), Dot(1, 100.3, 84.3, sigma=1.2)])) == 2


def test_pure_noise_holds_no_spot():
    assert sum(len(detect([], seed=seed)) for seed in range(12)) == 0


def test_significance_is_judged_by_the_noise_of_the_own_nucleus():
    rng = np.random.default_rng(2)
    labels = np.zeros((256, 256), np.int32)
    labels[40:110, 40:110], labels[40:110, 150:220] = 1, 2
    plane = rng.normal(100, 3, labels.shape) + (labels == 2) * rng.normal(0, 60, labels.shape)
    for col in (75.5, 185.5):
        rows, cols = np.mgrid[:256, :256] + 0.5
        plane += 90 * np.exp(-((rows - 75.5) ** 2 + (cols - col) ** 2) / (2 * 1.15**2))
    nuclei = territories_of(labels, reach_px=2.5)
    spots = detect_spots(plane.astype(np.float32), nuclei, mpp=MPP, sigma_um=0.184, params=PARAMS)
    assert list(spots.nucleus) == [1]


@pytest.mark.parametrize(("offset_px", "owner"), [(1.0, 1), (6.0, 0)])
def test_a_spot_just_outside_an_outline_belongs_to_the_nucleus(offset_px, owner):
    labels = np.zeros((256, 256), np.int32)
    labels[80:140, 80:140] = 1
    spots = detect([Dot(1, 110.5, 140 + offset_px + 0.5)], labels=labels)
    assert list(spots.nucleus) == [owner]


def test_the_size_of_signals_is_learnt_from_the_image():
    dots = [Dot(1, 20.5 + 40 * (i // 6), 20.5 + 40 * (i % 6), sigma=1.6) for i in range(36)]
    plane = draw_field([Disc(128, 128)], dots)[1].astype(np.float32)
    labels = np.ones(plane.shape, np.int32)
    spots = detect_spots(plane, territories_of(labels, reach_px=2.5), mpp=MPP, sigma_um=0.19, params=PARAMS)
    assert learn_sigma(plane, spots, mpp=MPP) == pytest.approx(1.6 * MPP, rel=0.1)


def test_too_few_spots_teach_no_size():
    plane = draw_field([], [Dot(1, 60.5, 60.5)])[1].astype(np.float32)
    spots = detect([Dot(1, 60.5, 60.5)], labels=np.ones(plane.shape, np.int32))
    assert learn_sigma(plane, spots, mpp=MPP) is None
