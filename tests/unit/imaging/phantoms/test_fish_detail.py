"""Worse microscopes, named profiles and laboratories drawn at random."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from her2path.imaging.phantoms.fish import FishPhantomSpec, render_fish, true_fish
from her2path.imaging.phantoms.fish_detail import FishOptics
from her2path.imaging.phantoms.fish_optics import shown_at
from her2path.imaging.phantoms.fish_profiles import PROFILES, spec_for_profile
from her2path.imaging.phantoms.fish_random import random_fish_spec
from her2path.imaging.phantoms.fish_truth import SignalChannel

SMALL = FishPhantomSpec(seed=501_200, width_px=320, height_px=320, noise=0, background=0, artefacts=0)
SPOTS = replace(SMALL, her2_mean=1.0, her2_fano=0.0, cep17_mean=0.0, cep17_fano=0.0, doublet_fraction=0.0)


def spots_px(spec: FishPhantomSpec) -> np.ndarray:
    """Places (x, y) at which the HER2 plane shows its lone signals, by their light."""
    phantom = render_fish(spec)
    plane = phantom.planes[1].astype(float)
    plane -= plane.min()
    found = []
    for signal in phantom.truth.signals:
        row, col = int(signal.y_px0), int(signal.x_px0)
        if not (12 < row < 308 and 12 < col < 308):
            continue
        box = plane[row - 8 : row + 9, col - 8 : col + 9]
        box = np.clip(box - np.median(box), 0, None)
        rows, cols = np.indices(box.shape)
        found.append(
            (col - 8 + 0.5 + (cols * box).sum() / box.sum(), row - 8 + 0.5 + (rows * box).sum() / box.sum())
        )
    return np.array(found)


def test_a_shift_moves_what_the_channel_shows_and_not_the_truth():
    shifted = replace(SPOTS, optics=FishOptics(her2_shift_px=(2.0, -1.0)))
    assert true_fish(shifted) == true_fish(SPOTS)
    moved = np.median(spots_px(shifted) - spots_px(SPOTS), axis=0)
    np.testing.assert_allclose(moved, (2.0, -1.0), atol=0.1)


def test_a_magnified_channel_is_unmoved_in_the_middle_of_the_field():
    spec = replace(SPOTS, optics=FishOptics(her2_magnification=1.01))
    assert shown_at((160.0, 160.0), SignalChannel.HER2, (320, 320), spec) == (160.0, 160.0)
    assert shown_at((260.0, 60.0), SignalChannel.HER2, (320, 320), spec) == pytest.approx((261.0, 59.0))
    assert shown_at((260.0, 60.0), SignalChannel.CEP17, (320, 320), spec) == (260.0, 60.0)


def test_more_bleed_through_brings_more_green_light_into_orange():
    spec = replace(SPOTS, her2_mean=0.0, cep17_mean=3.0, tumour_share=1.0)
    once, twice = (
        render_fish(replace(spec, optics=FishOptics(bleed=b))).planes[1].astype(float) for b in (1, 3)
    )
    assert (twice.max() - np.median(twice)) == pytest.approx(3 * (once.max() - np.median(once)), rel=0.1)


def test_a_strong_dna_stain_saturates_the_camera():
    plane = render_fish(
        spec_for_profile("saturated_dapi", FishPhantomSpec(width_px=400, height_px=400))
    ).planes[0]
    assert np.mean(plane[plane > 1000] == 4095) > 0.1


def test_a_tilted_slide_is_sharp_in_other_planes_at_other_edges():
    spec = FishPhantomSpec(seed=501_205, width_px=500, height_px=500)
    spec = replace(spec, z_planes=7, optics=FishOptics(focus_drift_um=6.0))
    dapi = render_fish(spec).planes[0].astype(float)
    steps = np.abs(np.diff(dapi, axis=2))
    halves = [
        (steps[:, :400], steps[:, 250:]),
        (steps[:, :, :400], steps[:, :, 250:]),
    ]
    best = [tuple(int(np.percentile(h, 99.5, axis=(1, 2)).argmax()) for h in pair) for pair in halves]
    assert any(abs(one - other) >= 2 for one, other in best)


@pytest.mark.parametrize("name", list(PROFILES))
def test_every_profile_renders_and_its_truth_needs_no_pixels(name):
    spec = spec_for_profile(name, FishPhantomSpec(seed=501_210, width_px=240, height_px=240))
    phantom = render_fish(spec)
    assert replace(phantom.truth, specks=()) == true_fish(spec)
    assert spec.width_px * spec.mpp == pytest.approx(240 * 0.16, abs=spec.mpp)


def test_a_field_without_probe_has_the_light_of_its_nuclei_only():
    spec = replace(SPOTS, her2_mean=5.0)
    with_probe, without = (render_fish(s).planes[1] for s in (spec, spec_for_profile("no_probe", spec)))
    assert without.max() < 0.3 * with_probe.max()


@pytest.mark.parametrize("seed", range(501_220, 501_226))
def test_a_random_laboratory_is_the_same_for_the_same_seed_and_within_its_bounds(seed):
    spec = random_fish_spec(seed)
    assert spec == random_fish_spec(seed) != random_fish_spec(seed + 1000)
    assert 0.08 <= spec.mpp <= 0.32
    assert spec.width_px * spec.mpp == pytest.approx(128, abs=spec.mpp)


def test_random_laboratories_differ_in_copies_tissue_and_microscope():
    specs = [random_fish_spec(seed) for seed in range(501_300, 501_360)]
    ratios = [spec.her2_mean / spec.cep17_mean for spec in specs]
    assert min(ratios) < 1.2
    assert max(ratios) > 2.5
    assert {spec.tissue.section_cut for spec in specs} == {True, False}
    assert len({spec.bit_depth for spec in specs}) >= 3
    assert sum(spec.tissue.clusters is not None for spec in specs) >= 5
    assert sum(spec.tissue.second is not None for spec in specs) >= 3


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="her2_magnification must lie within"):
        FishOptics(her2_magnification=1.5)
