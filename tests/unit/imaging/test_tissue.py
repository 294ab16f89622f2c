"""Tissue of pale immunostained slides."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import tifffile

from her2path.imaging.tissue import (
    BLOCK,
    MARGIN,
    detect_foreground,
    detect_tissue,
    join_features,
    measure_tissue_features,
    sample_places,
)

WHITE = (234.0, 233.0, 242.0)
SIDE = 640
"""Pixels of 2 µm: 1.28 mm."""


def glass(seed=1):
    rng = np.random.default_rng(seed)
    return rng.normal(WHITE, 0.8, (SIDE, SIDE, 3))


def disc(radius_px=200, centre=(320, 320)):
    rows, cols = np.mgrid[:SIDE, :SIDE]
    return np.hypot(rows - centre[0], cols - centre[1]) <= radius_px


def fibres(depth, seed=2):
    """Texture with grains of some micrometres, `depth` grey levels deep."""
    grain = cv2.GaussianBlur(np.random.default_rng(seed).normal(size=(SIDE, SIDE)), (0, 0), 1.2)
    return np.clip(grain / grain.std(), -2, 2)[..., None] * depth


def slide(depth=9.0, *, smudge=False):
    rgb = glass()
    rgb[disc()] = (rgb - 2 - np.abs(fibres(depth)))[disc()]
    if smudge:
        blot = cv2.GaussianBlur(disc(30, (60, 560)).astype(float), (0, 0), 15)
        rgb -= 220 * blot[..., None]
    return np.clip(np.rint(rgb), 0, 255).astype(np.uint8)


def on_mask(mask):
    return cv2.resize(mask.astype(np.uint8), (SIDE // BLOCK,) * 2, interpolation=cv2.INTER_AREA) > 0


@pytest.mark.parametrize("depth", [9.0, 15.0, 40.0], ids=["hardly stained", "pale", "strong"])
def test_tissue_is_found_however_pale(depth):
    found = detect_tissue(measure_tissue_features(slide(depth), white=WHITE))
    tissue = on_mask(disc())
    assert (found & tissue).sum() >= 0.95 * tissue.sum()
    assert (found & ~on_mask(disc(212))).sum() <= 0.02 * found.sum()


def test_a_black_smudge_neither_counts_as_tissue_nor_hides_it():
    found = detect_tissue(measure_tissue_features(slide(smudge=True), white=WHITE))
    tissue = on_mask(disc())
    assert (found & tissue).sum() >= 0.95 * tissue.sum()
    assert not found[: 120 // BLOCK, 500 // BLOCK :].any()


def test_stained_tissue_out_of_focus_still_counts():
    rgb = glass()
    rgb[disc()] -= np.array([10, 45, 75])
    rgb = cv2.GaussianBlur(rgb, (0, 0), 4)
    found = detect_tissue(measure_tissue_features(np.clip(rgb, 0, 255).astype(np.uint8), white=WHITE))
    inner = on_mask(disc(180))
    assert found[inner].mean() > 0.95


def test_glass_alone_is_no_tissue():
    rgb = np.clip(np.rint(glass()), 0, 255).astype(np.uint8)
    assert not detect_tissue(measure_tissue_features(rgb, white=WHITE)).any()


def test_padding_beside_the_glass_is_no_tissue():
    rgb = np.clip(np.rint(glass()), 0, 255).astype(np.uint8)
    rgb[:, 300:] = 255
    found = detect_tissue(measure_tissue_features(rgb, white=WHITE))
    assert found.mean() < 0.01


def test_specks_of_dust_are_left_out():
    rgb = glass()
    rgb[100:106, 100:106] -= 120
    found = detect_tissue(measure_tissue_features(np.clip(rgb, 0, 255).astype(np.uint8), white=WHITE))
    assert not found.any()


def test_a_lumen_belongs_to_the_tissue_around_it():
    rgb = slide(20.0).astype(float)
    lumen = disc(25)
    rgb[lumen] = glass(3)[lumen]
    found = detect_tissue(measure_tissue_features(rgb.astype(np.uint8), white=WHITE))
    assert found[on_mask(disc(20))].all()


def test_tissue_that_fills_the_image_is_found():
    rgb = np.clip(glass() - 30 - np.abs(fibres(20.0)), 0, 255).astype(np.uint8)
    assert detect_tissue(measure_tissue_features(rgb, white=WHITE)).all()


def test_features_do_not_depend_on_the_bands_a_slide_is_read_in():
    rgb = slide()
    whole = measure_tissue_features(rgb, white=WHITE)
    cut = 320
    upper = measure_tissue_features(rgb[: cut + MARGIN], white=WHITE).rows(0, cut // BLOCK)
    lower = measure_tissue_features(rgb[cut - MARGIN :], white=WHITE).rows(MARGIN // BLOCK, SIDE)
    joined = join_features([upper, lower])
    assert joined.roughness == pytest.approx(whole.roughness, abs=1e-6)
    assert joined.density == pytest.approx(whole.density, abs=1e-6)
    assert (detect_tissue(joined) == detect_tissue(whole)).all()


def test_places_to_sample_lie_on_tissue_and_come_in_reading_order():
    features = measure_tissue_features(slide(20.0), white=WHITE)
    mask = detect_tissue(features)
    places = sample_places(mask, features, edge=16, count=8)
    assert 1 <= len(places) <= 8
    assert places == sorted(places)
    assert all(mask[r : r + 16, c : c + 16].mean() > 0.7 for r, c in places)


def test_a_slide_with_one_speck_of_tissue_still_gives_a_place_to_sample():
    features = measure_tissue_features(slide(20.0), white=WHITE)
    mask = np.zeros_like(detect_tissue(features))
    mask[70:75, 70:75] = True
    assert len(sample_places(mask, features, edge=16, count=8)) == 1


def test_fluorescent_foreground_is_what_is_brighter_than_the_cut():
    plane = np.zeros((40, 40), np.float32)
    plane[10:20, 10:20] = 100
    found = detect_foreground(plane, cut=50)
    assert 60 <= found.sum() <= 140
    assert found[15, 15]
    assert not found[30, 30]


# Outlines drawn by hand on the cores, in pixels of 2 µm, x first.
HAND_DRAWN = {
    "core_9b0f": [
        (265, 60),
        (300, 58),
        (325, 45),
        (360, 62),
        (410, 80),
        (460, 112),
        (500, 140),
        (525, 185),
        (555, 215),
        (575, 255),
        (585, 300),
        (584, 390),
        (572, 455),
        (545, 500),
        (520, 540),
        (475, 600),
        (440, 620),
        (400, 640),
        (330, 643),
        (265, 632),
        (210, 605),
        (165, 570),
        (130, 510),
        (108, 480),
        (92, 430),
        (80, 370),
        (82, 345),
        (90, 300),
        (105, 240),
        (118, 212),
        (155, 195),
        (165, 160),
        (200, 130),
        (230, 105),
    ],
    "core_f8a2": [
        (300, 16),
        (350, 4),
        (400, 8),
        (450, 25),
        (505, 60),
        (555, 95),
        (595, 150),
        (606, 165),
        (598, 190),
        (620, 208),
        (638, 240),
        (638, 330),
        (622, 415),
        (600, 465),
        (575, 535),
        (550, 545),
        (510, 600),
        (470, 635),
        (430, 655),
        (390, 680),
        (185, 680),
        (135, 625),
        (100, 590),
        (68, 560),
        (65, 530),
        (45, 480),
        (22, 420),
        (10, 355),
        (8, 300),
        (50, 250),
        (95, 185),
        (110, 165),
        (170, 105),
        (220, 60),
    ],
}


@pytest.mark.real
@pytest.mark.parametrize(
    "core",
    [
        pytest.param("core_9b0f", id="0, hardly stained"),
        pytest.param("core_f8a2", id="1+, pale, with a black smudge beside it"),
    ],
)
def test_pale_cores_are_found_whole_and_little_else(real_data, core):
    with tifffile.TiffFile(real_data / "ihc_cores" / f"{core}.tif") as tiff:
        rgb = tiff.series[0].levels[3].asarray()
    found = detect_tissue(measure_tissue_features(rgb, white=WHITE))
    drawn = np.zeros(rgb.shape[:2], np.uint8)
    cv2.fillPoly(drawn, [np.array(HAND_DRAWN[core], np.int32)], 1)
    pixels = np.kron(found, np.ones((BLOCK, BLOCK), bool))[: rgb.shape[0], : rgb.shape[1]]
    assert pixels[drawn > 0].mean() >= 0.95
    assert (pixels & (drawn == 0)).sum() <= 0.02 * pixels.sum()
