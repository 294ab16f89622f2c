"""Focus planes projected: signals from wherever they are sharp, nuclei from where focus lies."""

from __future__ import annotations

import cv2
import numpy as np

from her2path.io.fields.projection import NuclearProjection, SignalProjection


def texture(seed):
    grain = np.random.default_rng(seed).random((200, 400)) > 0.7
    return cv2.GaussianBlur(grain.astype(np.float32) * 2000, (0, 0), 1.0)


def projected(planes, kind=NuclearProjection):
    projection = kind()
    for plane in planes:
        projection.add(plane)
    return projection.picture()


def drifting(blurs_left, blurs_right):
    """Planes of one texture whose halves are blurred differently."""
    sharp = texture(1)
    planes = []
    for left, right in zip(blurs_left, blurs_right, strict=True):
        halves = [
            cv2.GaussianBlur(sharp, (0, 0), s)[:, c] for s, c in ((left, np.s_[:200]), (right, np.s_[200:]))
        ]
        planes.append(np.hstack(halves).astype(np.uint16))
    return planes


def test_where_focus_drifts_each_part_comes_from_its_own_sharpest_plane():
    planes = drifting((0.5, 2.0, 4.0), (4.0, 2.0, 0.5))
    picture = projected(planes).astype(float)
    # The seam, where both are blended, aside.
    left, right = np.s_[10:-10, 10:120], np.s_[10:-10, 280:-10]
    for part, plane in ((left, planes[0]), (right, planes[2])):
        assert np.abs(picture[part] - plane[part]).mean() < 0.02 * plane[part].std() + 5


def test_the_projection_of_nuclei_is_never_brighter_than_its_planes():
    planes = drifting((0.5, 2.0, 4.0), (4.0, 2.0, 0.5))
    picture = projected(planes)
    assert picture.dtype == np.uint16
    assert (picture <= np.max(planes, axis=0)).all()
    assert (picture >= np.min(planes, axis=0)).all()


def test_one_plane_is_given_back_as_it_is():
    plane = texture(2).astype(np.uint16)
    np.testing.assert_array_equal(projected([plane]), plane)


def test_an_empty_stack_of_zeros_has_no_gaps():
    assert not projected([np.zeros((100, 60), np.float32)] * 3).any()


def test_signals_come_from_any_plane_with_its_number():
    planes = np.random.default_rng(3).integers(90, 110, (5, 50, 60)).astype(np.uint16)
    planes[3, 10, 20] = 900
    projection = SignalProjection()
    for plane in planes:
        projection.add(plane)
    np.testing.assert_array_equal(projection.picture(), planes.max(axis=0))
    assert projection.depth[10, 20] == 3
    assert planes[0, 10, 20] < 200
