"""Outlines follow the ground round a nucleus, and haze is not taken for one."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from her2path.imaging.fish.nuclei import NucleusParams, measure_levels, segment_nuclei
from her2path.imaging.fish.nucleus_outline import drop_haze, number_pieces, trim_to_ground
from tests.support.fish_fields import Disc, draw_field

MPP = 0.16
PARAMS = NucleusParams()


def segment(dapi):
    plane = np.asarray(dapi, np.float32)
    return segment_nuclei(plane, mpp=MPP, levels=measure_levels(plane, mpp=MPP, params=PARAMS), params=PARAMS)


def blob(sigma, height):
    """A round glow in the middle of a field, in pixels and counts."""
    rows, cols = np.mgrid[:256, :256] - 128.0
    return height * np.exp(-(rows**2 + cols**2) / (2 * sigma**2))


@pytest.mark.parametrize("glow", [0, 250, 500], ids=["on a dark ground", "in weak haze", "in strong haze"])
def test_haze_round_a_nucleus_does_not_widen_it(glow):
    dapi = draw_field([Disc(128, 128, radius=30)], [])[0] + blob(70, glow)
    nuclei = segment(dapi)
    middle = nuclei.labels == nuclei.labels[128, 128]
    assert middle.sum() == pytest.approx(np.pi * 30**2, rel=0.2)


def test_a_wide_glow_beside_nuclei_is_not_listed():
    dapi = draw_field([Disc(40, 40), Disc(210, 210)], [])[0] + blob(45, 150)
    assert len(segment(dapi).exclusion) == 2


def test_an_object_walled_in_by_others_is_kept_though_nothing_round_it_is_dark():
    labels = np.zeros((60, 60), np.int32)
    labels[5:55, 5:55] = 1
    labels[20:40, 20:40] = 2
    smooth = np.where(labels > 0, 100.0, 0.0).astype(np.float32)
    kept = drop_haze(labels, cv2.GaussianBlur(smooth, (0, 0), 1), spread=1.0, typical=100.0, mpp=0.3)
    assert set(np.unique(kept)) == {0, 1, 2}


def test_an_object_ends_at_a_share_of_its_height_over_the_ground():
    ramp = np.full((61, 61), 40.0, np.float32)
    rows, cols = np.mgrid[:61, :61] - 30
    away = np.hypot(rows, cols)
    ramp += np.clip(60 - 5 * np.maximum(away - 6, 0), 0, None).astype(np.float32)
    trimmed = trim_to_ground(np.ones((61, 61), np.int32), ramp, edge_level=0.5, mpp=0.3)
    radius = np.sqrt((trimmed > 0).sum() / np.pi)
    assert 9 < radius < 15  # half of 60 over the ground of 40 lies 12 pixels out


def test_pieces_are_filled_and_numbered_in_reading_order():
    labels = np.zeros((30, 60), np.int32)
    labels[5:15, 40:50] = 7
    labels[12:22, 5:15] = 3
    labels[16:18, 9:11] = 0
    numbered = number_pieces(labels, min_px=10)
    assert numbered[10, 45] == 1
    assert numbered[17, 10] == numbered[13, 6] == 2
