"""Spots, focus and camera, held against absolute numbers."""

from __future__ import annotations

import numpy as np
import pytest

from her2path.imaging.phantoms.fish_optics import add_gaussian, expose, spot_profile
from her2path.imaging.phantoms.fish_spec import FishPhantomSpec


def test_a_spot_lies_where_it_was_put_with_pixel_edges_at_integers():
    image = np.zeros((41, 41), dtype=np.float32)
    add_gaussian(image, (20.5, 12.75), 2.0, 100.0)
    rows, cols = np.mgrid[:41, :41] + 0.5
    assert (image * rows).sum() / image.sum() == pytest.approx(20.5, abs=1e-3)
    assert (image * cols).sum() / image.sum() == pytest.approx(12.75, abs=1e-3)
    assert image[20, 12] == pytest.approx(100 * np.exp(-0.5 * 0.25**2 / 4), rel=1e-5)


def test_a_spot_over_the_edge_is_cut_and_one_outside_leaves_nothing():
    image = np.zeros((10, 10), dtype=np.float32)
    add_gaussian(image, (-50.0, 5.0), 2.0, 100.0)
    assert not image.any()
    add_gaussian(image, (0.0, 5.5), 2.0, 100.0)
    assert image[0, 5] == pytest.approx(100 * np.exp(-0.5 * 0.25 / 4), rel=1e-5)


def test_a_spot_in_focus_is_diffraction_limited():
    sigma_um, height = spot_profile(0.0, FishPhantomSpec(z_planes=3))
    assert 0.3 <= 2.3548 * sigma_um <= 0.45
    assert height == 1


def test_defocus_widens_a_spot_and_keeps_its_light():
    spec = FishPhantomSpec(z_planes=3)
    sharp, blurred = spot_profile(0.0, spec), spot_profile(1.5, spec)
    assert blurred[0] > 1.5 * sharp[0]
    assert blurred[0] ** 2 * blurred[1] == pytest.approx(sharp[0] ** 2 * sharp[1])


def test_camera_noise_is_shot_noise_and_read_noise_in_absolute_terms():
    # 900 electrons at 3 electrons a count: 300 counts over the offset of 40, noise sqrt(909) / 3.
    light = np.zeros((3, 200, 200), dtype=np.float32)
    light[0] = 900.0
    spec = FishPhantomSpec()
    rng = np.random.default_rng(1)
    exposures = [expose(light, spec, np.random.default_rng(7))[0].astype(float)]
    patch = exposures[0][90:110, 90:110]
    level = patch.mean() - 40
    assert 240 < level <= 300.5
    assert patch.std() == pytest.approx(np.sqrt(3 * level + 9) / 3, rel=0.12)
    dark = expose(np.zeros((3, 100, 100), dtype=np.float32), spec, rng)
    assert dark.mean() == pytest.approx(40, abs=0.1)


def test_uneven_light_darkens_the_corners_by_some_tenths_at_most():
    light = np.full((3, 300, 300), 3000.0, dtype=np.float32)
    counts = expose(light, FishPhantomSpec(noise=0), np.random.default_rng(2)).astype(float) - 40
    falloff = counts[0].min() / counts[0].max()
    assert 0.6 < falloff < 0.95


def test_green_reaches_the_orange_channel_and_hardly_back():
    light = np.zeros((3, 64, 64), dtype=np.float32)
    light[2] = 9000.0
    spec = FishPhantomSpec(noise=0)
    counts = expose(light, spec, np.random.default_rng(3)).astype(float) - 40
    assert counts[1].mean() / counts[2].mean() == pytest.approx(0.04, abs=0.005)
    assert counts[0].mean() == 0


def test_counts_never_leave_the_camera_range():
    light = np.full((3, 32, 32), 1e6, dtype=np.float32)
    for bits in (8, 12, 16):
        counts = expose(light, FishPhantomSpec(bit_depth=bits), np.random.default_rng(4))
        assert counts.max() == 2**bits - 1
