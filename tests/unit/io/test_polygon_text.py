from __future__ import annotations

import json

import numpy as np
import pytest

from her2path.io.polygon_text import polygon_texts

TRIANGLE = np.array([(0.0, 0.0), (10.0, 0.0), (0.0, 10.0)])


def one_by_one(ring: np.ndarray) -> list[str]:
    return [f"{value:.1f}" for point in [*ring, ring[0]] for value in point]


def numbers_of(text: bytes) -> list[str]:
    return text.decode().split(":[[", 1)[1].replace("[", "").replace("]", "").rstrip("}").split(",")


@pytest.mark.parametrize("size", [0.02, 3.0, 150.0, 9e4, 9e5])
def test_coordinates_of_any_size_and_sign_are_rounded_as_python_rounds_them(size):
    rng = np.random.default_rng(5)
    rings = [rng.normal(0, size, (number, 2)).astype(np.float32).astype(float) for number in range(3, 40)]
    for ring, text in zip(rings, polygon_texts(rings), strict=True):
        if text is not None:
            assert numbers_of(text) == one_by_one(ring)


def test_ties_and_negative_zero_are_written_as_python_writes_them():
    ring = np.array([(0.25, 0.75), (-0.25, -0.04), (1.25, 9.95), (9999.75, -0.0)])
    assert numbers_of(polygon_texts([ring, TRIANGLE])[0]) == one_by_one(ring)


@pytest.mark.parametrize(
    "odd", [0.15, 3e7, -2.5e9], ids=["no float32", "eight digits", "ten digits and a sign"]
)
def test_unusual_numbers_are_written_all_the_same(odd):
    ring = TRIANGLE + odd
    first, second = polygon_texts([ring, TRIANGLE])
    assert numbers_of(first) == one_by_one(ring)
    assert numbers_of(second) == one_by_one(TRIANGLE)


@pytest.mark.parametrize(
    "ring",
    [
        pytest.param(np.empty((0, 2)), id="no point"),
        pytest.param(TRIANGLE[:2], id="two points"),
        pytest.param(np.repeat(TRIANGLE[:2], 3, axis=0), id="two places"),
        pytest.param(0.03125 * TRIANGLE / 10, id="one place after rounding"),
        pytest.param(np.array([(0, 0), (1, np.nan), (1, 1)]), id="not a number"),
    ],
)
def test_a_ring_without_an_area_is_none_and_harms_no_other(ring):
    none, other = polygon_texts([ring, TRIANGLE])
    assert none is None
    assert json.loads(other)["coordinates"] == [[[0, 0], [10, 0], [0, 10], [0, 0]]]


def test_no_rings_give_no_text():
    assert polygon_texts([]) == []
