"""Uneven illumination: signals at the border of a field are fainter, and their light is evened out."""

from __future__ import annotations

import numpy as np
import pytest

from her2path.imaging.fish.illumination import learn_illumination

SHAPE = (1000, 1400)


def signals(count, *, fall, seed=1):
    """Places and heights of signals under light that falls off by `fall` from the middle to a corner."""
    rng = np.random.default_rng(seed)
    rows, cols = rng.uniform(0, SHAPE[0], count), rng.uniform(0, SHAPE[1], count)
    return rows, cols, light(rows, cols, fall) * 500 * np.exp(rng.normal(0, 0.4, count))


def light(rows, cols, fall):
    y, x = rows / SHAPE[0] * 2 - 1, cols / SHAPE[1] * 2 - 1
    return 1 - fall * (y**2 + x**2) / 2


def test_the_fall_of_light_is_learnt_from_signals():
    found = learn_illumination(*signals(600, fall=0.5), shape=SHAPE)
    assert found.unevenness_frac == pytest.approx(0.5, abs=0.12)
    assert found.at(np.array([500.0]), np.array([700.0]))[0] == pytest.approx(1.0, abs=0.08)


def test_an_even_field_is_left_alone():
    assert [learn_illumination(*signals(400, fall=0.0, seed=s), shape=SHAPE) for s in range(20)] == [
        None
    ] * 20


def test_few_signals_tell_nothing():
    assert learn_illumination(*signals(100, fall=0.6), shape=SHAPE) is None


def test_one_height_everywhere_tells_nothing():
    rows, cols, _ = signals(300, fall=0.0)
    assert learn_illumination(rows, cols, np.full(300, 7.0), shape=SHAPE) is None


def test_a_plane_is_lifted_to_what_it_would_be_in_the_middle():
    found = learn_illumination(*signals(3000, fall=0.5), shape=SHAPE)
    rows, cols = np.mgrid[: SHAPE[0], : SHAPE[1]] + 0.5
    plane = (100 + 300 * light(rows, cols, 0.5)).astype(np.float32)
    even = found.even(plane, floor=100.0)
    assert even.min() > 360
    assert even.max() < 435
