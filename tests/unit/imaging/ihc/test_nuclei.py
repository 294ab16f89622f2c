"""Nuclei in stain amounts."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from her2path.imaging.ihc.finder import Nuclei
from her2path.imaging.ihc.nuclei import NucleusCuts, detect_nuclei
from her2path.imaging.ihc.rays import ANGLES
from her2path.imaging.stain import StainAmounts

MPP = 0.5
SIDE = 200


def scene(*ellipses, mpp=MPP, background=0.03, dab=None, noise=0.006, seed=1):
    """Amounts with filled ellipses (x_um, y_um, a_um, b_um, hematoxylin)."""
    side = round(SIDE * MPP / mpp)
    blue = np.full((side, side), background, np.float32)
    for x, y, a, b, amount in ellipses:
        centre, axes = (round(x / mpp), round(y / mpp)), (round(a / mpp), round(b / mpp))
        cv2.ellipse(blue, centre, axes, 0, 0, 360, amount, -1)
    blue = cv2.GaussianBlur(blue, (0, 0), 0.4 / mpp)
    blue += np.random.default_rng(seed).normal(0, noise, blue.shape).astype(np.float32)
    brown = np.zeros_like(blue) if dab is None else dab.astype(np.float32)
    return StainAmounts(blue.astype(np.float32), brown)


def found_at(nuclei: Nuclei, x_um, y_um, mpp=MPP, within_um=2.0):
    return np.flatnonzero(np.hypot(nuclei.x * mpp - x_um, nuclei.y * mpp - y_um) < within_um)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        pytest.param(3.2, 3.2, id="lymphocyte"),
        pytest.param(5.0, 4.0, id="epithelium"),
        pytest.param(6.5, 5.5, id="large tumour nucleus"),
    ],
)
def test_one_nucleus_is_found_once_with_its_size(a, b):
    nuclei = detect_nuclei(scene((50, 50, a, b, 0.25)), mpp=MPP)
    assert len(found_at(nuclei, 50, 50)) == 1
    assert len(nuclei) == 1
    assert nuclei.area_um2[0] == pytest.approx(np.pi * a * b, rel=0.25)
    assert nuclei.radii_px.shape == (1, ANGLES)


def test_a_pale_nucleus_with_a_dark_nucleolus_is_one_nucleus():
    nuclei = detect_nuclei(scene((50, 50, 6, 5.5, 0.11), (51, 50, 1.2, 1.2, 0.35)), mpp=MPP)
    assert len(nuclei) == 1
    assert nuclei.area_um2[0] > 60


def test_touching_nuclei_are_two():
    nuclei = detect_nuclei(scene((44, 50, 4.5, 4.5, 0.25), (54.5, 50, 4.5, 4.5, 0.25)), mpp=MPP)
    assert len(nuclei) == 2


def test_a_brown_line_parts_what_blur_would_join():
    dab = np.zeros((SIDE, SIDE))
    dab[60:140, 99:101] = 0.5
    dab = cv2.GaussianBlur(dab, (0, 0), 0.8)
    blue = scene((45.5, 50, 4.2, 5.5, 0.2), (54.5, 50, 4.2, 5.5, 0.2), dab=dab)
    nuclei = detect_nuclei(blue, mpp=MPP)
    assert len(nuclei) == 2
    assert sorted(np.round(nuclei.x * MPP)) == pytest.approx([45.5, 54.5], abs=1.5)


def test_a_lumen_within_brown_cells_is_no_nucleus():
    rows, cols = np.mgrid[:SIDE, :SIDE]
    ring = np.abs(np.hypot(rows - 100, cols - 100) - 12) < 3
    nuclei = detect_nuclei(scene(background=0.0, dab=ring * 0.6), mpp=MPP)
    assert len(found_at(nuclei, 50, 50, within_um=4)) == 0


def test_noise_and_an_even_tint_give_no_nuclei():
    assert len(detect_nuclei(scene(), mpp=MPP)) == 0
    assert len(detect_nuclei(scene(background=0.2), mpp=MPP)) == 0


def test_glass_gives_no_nuclei():
    zero = np.zeros((64, 64), np.float32)
    assert len(detect_nuclei(StainAmounts(zero, zero), mpp=MPP)) == 0


@pytest.mark.parametrize("mpp", [0.25, 0.5, 1.0])
def test_sizes_are_micrometres_at_any_pixel_size(mpp):
    nuclei = detect_nuclei(scene((50, 50, 5, 5, 0.25), mpp=mpp), mpp=mpp)
    assert len(nuclei) == 1
    assert nuclei.area_um2[0] == pytest.approx(np.pi * 25, rel=0.25)
    assert (nuclei.x[0] * mpp, nuclei.y[0] * mpp) == pytest.approx((50, 50), abs=1)


@pytest.mark.parametrize("origin", [(0, 0), (1, 0), (0, 1), (37, 21)])
def test_a_nucleus_does_not_depend_on_where_its_tile_begins(origin):
    whole = scene((50, 50, 5, 4, 0.2), (62, 55, 3, 3, 0.3))
    row, col = origin
    cut = StainAmounts(whole.hematoxylin[row:, col:].copy(), whole.dab[row:, col:].copy())
    first = detect_nuclei(whole, mpp=MPP)
    second = detect_nuclei(cut, mpp=MPP, origin=origin)
    assert (second.x + col == first.x).all()
    assert (second.y + row == first.y).all()
    assert (second.radii_px == first.radii_px).all()


def test_what_is_smaller_than_a_nucleus_is_left_out():
    cuts = NucleusCuts(area_um2=60.0)
    image = scene((30, 30, 3, 3, 0.3), (70, 70, 6, 6, 0.3))
    assert len(detect_nuclei(image, mpp=MPP)) == 2
    assert len(detect_nuclei(image, mpp=MPP, cuts=cuts)) == 1
