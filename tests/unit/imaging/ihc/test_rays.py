"""Outlines along rays."""

from __future__ import annotations

import numpy as np
import pytest

from her2path.imaging.ihc.rays import (
    ANGLES,
    COS,
    SIN,
    along,
    closed_paths,
    first_places,
    over_rays,
    ring_area,
    ring_centroids,
    ring_elongation,
    ring_lengths,
    ring_points,
    sample_rays,
    summed,
    within,
)

ONE = np.array([50.0])


def circle(radius, n=1):
    return np.full((n, ANGLES), radius, np.float32)


def ellipse(a, b):
    return (a * b / np.hypot(b * COS, a * SIN))[None].astype(np.float32)


def test_samples_along_a_ramp_are_the_ramp():
    image = np.tile(np.arange(101, dtype=np.float32), (101, 1))
    samples = sample_rays(image, ONE, ONE, np.array([5.0, 10.0], np.float32))
    assert samples.shape == (1, ANGLES, 2)
    assert samples[0, :, 1] == pytest.approx(50 + 10 * COS, abs=0.05)


def test_labels_are_not_interpolated():
    labels = np.zeros((101, 101), np.float32)
    labels[:, 55:] = 7
    samples = sample_rays(labels, ONE, ONE, np.arange(1, 20, dtype=np.float32), nearest=True)
    assert set(np.unique(samples)) == {0.0, 7.0}


def test_samples_do_not_depend_on_where_a_tile_begins():
    image = np.random.default_rng(1).normal(size=(200, 200)).astype(np.float32)
    radii = np.arange(1, 20, dtype=np.float32) * 0.7
    for nearest in (False, True):
        whole = sample_rays(image, np.array([90.5]), np.array([101.5]), radii, nearest=nearest)
        cut = sample_rays(image[37:, 21:], np.array([69.5]), np.array([64.5]), radii, nearest=nearest)
        assert (whole == cut).all()


def test_many_centres_are_read_although_the_sampler_takes_few_rows():
    image = np.ones((64, 64), np.float32)
    many = np.full(2000, 32.0)
    assert sample_rays(image, many, many, np.array([1.0, 2.0], np.float32)).shape == (2000, ANGLES, 2)


@pytest.mark.parametrize("reach", [1, 2])
def test_the_cheapest_outline_follows_a_groove_around_the_centre(reach):
    radius = 8 + 2 * np.cos(np.arange(ANGLES) * 2 * np.pi / ANGLES)
    cost = np.abs(np.arange(16)[None, None] - radius[None, :, None]).astype(np.float32)
    index = closed_paths(cost, prices=(0.01, 0.03)[:reach])
    assert np.abs(index[0] - radius).max() <= 1


def test_an_outline_bridges_a_ray_on_which_nothing_is_seen():
    cost = np.ones((1, ANGLES, 16), np.float32)
    cost[:, :, 6] = 0
    cost[:, 9] = 1
    assert (closed_paths(cost, prices=(0.05, 0.15)) == 6).all()


def test_an_outline_closes_where_it_began():
    rng = np.random.default_rng(3)
    index = closed_paths(rng.random((50, ANGLES, 20)).astype(np.float32), prices=(0.1,))
    # Ends that do not meet would show as a jump between the rays where the path was cut.
    jumps = np.abs(np.diff(np.concatenate([index, index[:, :1]], axis=1), axis=1))
    assert (jumps[:, : ANGLES // 2 - 1] <= 1).all()
    assert (jumps[:, ANGLES // 2 :] <= 1).all()


def test_no_objects_give_no_outlines():
    assert closed_paths(np.zeros((0, ANGLES, 9), np.float32), prices=(0.1, 0.3)).shape == (0, ANGLES)


def test_area_length_and_elongation_of_known_shapes():
    assert ring_area(circle(10))[0] == pytest.approx(np.pi * 100, rel=0.01)
    assert ring_lengths(circle(10)).sum() == pytest.approx(2 * np.pi * 10, rel=0.01)
    assert ring_elongation(circle(10))[0] == pytest.approx(1, abs=0.01)
    assert ring_elongation(ellipse(12, 6))[0] == pytest.approx(2, rel=0.05)


def test_the_centroid_is_that_of_the_shape_and_not_of_the_rays():
    # A circle of radius 10 seen from a point 3 to the left of its centre.
    seen = (3 * COS + np.sqrt(100 - (3 * SIN) ** 2))[None].astype(np.float32)
    x, y = ring_centroids(np.array([0.0]), np.array([0.0]), seen)
    assert (x[0], y[0]) == pytest.approx((3.0, 0.0), abs=0.1)


def test_corners_lie_on_the_outline():
    points = ring_points(ONE, ONE, circle(4))
    assert np.hypot(*(points[0] - 50).T) == pytest.approx(np.full(ANGLES, 4.0))


def test_sums_do_not_depend_on_how_many_objects_are_added_up_at_once():
    rng = np.random.default_rng(5)
    samples, weight = rng.random((2, 40, ANGLES, 23)).astype(np.float32)
    for some in (slice(7, 8), slice(3, 20)):
        assert (within(samples[some], weight[some]) == within(samples, weight)[some]).all()
        assert (along(samples[some], weight[some]) == along(samples, weight)[some]).all()
        over, whole = over_rays(samples[some], weight[some, :, 0]), over_rays(samples, weight[:, :, 0])
        assert (over == whole[some]).all()
        assert (summed(samples[some, :, 0]) == summed(samples[:, :, 0])[some]).all()


def test_the_first_chosen_place_of_a_ray_is_its_length_where_none_is_chosen():
    chosen = np.zeros((2, ANGLES, 9), np.bool_)
    chosen[0, :, 4:6] = True
    first = first_places(chosen)
    assert (first[0] == 4).all()
    assert (first[1] == 9).all()
