"""Territories: whose place it is, and how noisy a picture is within each nucleus."""

from __future__ import annotations

import numpy as np
import pytest

from her2path.imaging.fish.territories import territories_of


def two_nuclei():
    labels = np.zeros((80, 120), np.int32)
    labels[20:60, 10:50], labels[20:60, 56:96] = 1, 2
    return labels


def test_a_place_close_outside_belongs_to_the_nearest_nucleus():
    nuclei = territories_of(two_nuclei(), reach_px=2.0)
    rows, cols = np.array([30, 30, 30, 30, 30, 30]), np.array([30, 51, 52, 54, 55, 110])
    assert nuclei.at(rows, cols).tolist() == [1, 1, 0, 2, 2, 0]


def test_noise_is_that_of_each_nucleus_and_no_less_than_the_background():
    rng = np.random.default_rng(1)
    labels = two_nuclei()
    picture = rng.normal(0, np.choose(labels, [2.0, 5.0, 0.5])).astype(np.float32)
    assert territories_of(labels, reach_px=0).noise(picture) == pytest.approx([2.0, 5.0, 2.0], rel=0.15)


def test_a_number_without_a_nucleus_has_the_noise_of_the_background():
    labels = np.where(two_nuclei() == 2, 3, two_nuclei()).astype(np.int32)
    noise = territories_of(labels, reach_px=0).noise(np.ones(labels.shape, np.float32))
    assert len(noise) == 4
    assert noise[2] == noise[0]


def test_a_field_without_nuclei_has_background_only():
    nuclei = territories_of(np.zeros((40, 40), np.int32), reach_px=3.0)
    assert nuclei.at(np.array([5]), np.array([5])).tolist() == [0]
    assert len(nuclei.noise(np.ones((40, 40), np.float32))) == 1
