"""Whether a field can be counted: focus, saturation, and channels that hold what their role says."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pytest

from her2path.domain.ish import IshGroup
from her2path.imaging.fish.field_quality import (
    clipping_level,
    examine_channel,
    judge_channels,
    nuclear_mask,
    remark_on_channels,
)
from her2path.imaging.phantoms.fish import FishPhantomSpec, render_fish, spec_for_group
from her2path.imaging.stain_verdict import Unsuitable

ROLES = ("dapi", "her2", "cep17")
BASE = spec_for_group(IshGroup.GROUP_5, FishPhantomSpec(seed=514_000, width_px=512, height_px=512))


@cache
def field(**over):
    return render_fish(replace(BASE, **over)).planes


def look(planes, *, mpp=0.16, full_scale=65535.0, roles=ROLES):
    """Reason and remarks (codes) of a field."""
    mask = nuclear_mask(planes[roles.index("dapi")], mpp=mpp)
    if isinstance(mask, Unsuitable):
        return mask.code, []
    states = [
        examine_channel(plane, mask, role=role, mpp=mpp, full_scale=full_scale)
        for role, plane in zip(roles, planes, strict=True)
    ]
    why = judge_channels(states, counted=[role for role in roles if role != "dapi"])
    return (None if why is None else why.code), [remark.code for remark in remark_on_channels(states)]


@pytest.mark.parametrize(
    "over",
    [
        pytest.param({}, id="as delivered"),
        pytest.param({"background": 5.0, "noise": 2.0}, id="bright background"),
        pytest.param({"signal_level": 0.5}, id="half the signal"),
        pytest.param({"mpp": 0.1}, id="fine pixels"),
        pytest.param({"mpp": 0.25}, id="coarse pixels"),
    ],
)
def test_a_field_in_focus_has_no_finding(over):
    assert look(field(**over), mpp=over.get("mpp", 0.16)) == (None, [])


def test_counts_and_shares_of_one_in_float_are_judged_alike():
    counts = field().astype(np.float32)
    assert look(counts, full_scale=1.0) == (None, [])
    assert look(counts / 4095, full_scale=1.0) == (None, [])


def test_clusters_in_every_nucleus_are_not_taken_for_poor_focus():
    planes = field(her2_mean=30.0, cluster_fraction=1.0, cluster_copies=30)
    assert look(planes) == (None, [])


@pytest.mark.parametrize("blur", [1.6, 2.0])
def test_poor_focus_is_said_of_the_signals(blur):
    why, codes = look(field(blur=blur))
    assert why is None
    assert codes == ["out_of_focus", "out_of_focus"]


def test_a_field_without_focus_is_refused():
    blurred = np.stack([cv2.GaussianBlur(plane, (0, 0), 7) for plane in field()])
    assert look(blurred)[0] == "out_of_focus"


@pytest.mark.parametrize("background", [60.0, None], ids=["a constant", "noise"])
def test_a_probe_channel_without_signals_is_refused(background):
    planes = field().copy()
    planes[2] = 60 if background else np.random.default_rng(1).normal(60, 5, planes[2].shape)
    assert look(planes)[0] == "no_signals"


def test_texture_of_nuclei_without_a_probe_is_said_to_look_like_no_signals():
    why, codes = look(field(her2_mean=0.0, cep17_mean=0.0))
    assert why is None
    assert "no_signals" in codes


def test_of_few_nuclei_it_is_not_said_that_signals_are_missing():
    planes = field(nuclei_per_mm2=300.0)
    assert look(planes)[0] is None


@pytest.mark.parametrize(("gain", "why"), [(3, None), (8, "saturated")])
def test_saturated_nuclei_are_a_warning_and_then_a_refusal(gain, why):
    planes = field().copy()
    planes[0] = np.clip((planes[0].astype(float) - 40) * gain + 40, 0, 4095)
    found, codes = look(planes)
    assert found == why
    assert "saturated" in codes


def test_saturated_signals_are_a_warning():
    planes = field().copy()
    planes[1] = np.clip((planes[1].astype(float) - 60) * 14 + 60, 0, 4095)
    assert look(planes) == (None, ["saturated"])


@pytest.mark.parametrize(
    ("order", "why"),
    [((1, 0, 2), "channels"), ((1, 2, 0), "channels"), ((2, 1, 0), "channels"), ((0, 2, 1), None)],
)
def test_spots_where_nuclei_should_be_are_told_and_exchanged_probes_cannot_be(order, why):
    assert look(field()[list(order)])[0] == why


def test_a_blank_field_and_an_inverted_one_have_their_reason():
    noise = np.random.default_rng(2).normal(100, 5, (3, 256, 256)).astype(np.uint16)
    assert look(noise)[0] == "blank_field"
    assert look(4095 - field())[0] == "bright_field"


@pytest.mark.parametrize("kind", [np.uint16, np.float32])
def test_the_level_at_which_a_camera_clips_is_found_by_its_pile_of_pixels(kind):
    rng = np.random.default_rng(1)
    ramp = (
        (np.arange(40_000).reshape(200, 200) + rng.normal(0, 50, (200, 200)).clip(-200, 200))
        .clip(0)
        .astype(kind)
    )
    clipped = np.minimum(ramp, 30_000)
    assert clipping_level(clipped, full_scale=65535.0) == 30_000
    assert clipping_level(ramp, full_scale=65535.0) >= 65535


def test_flat_objects_of_a_drawn_picture_are_not_taken_for_clipped():
    drawn = np.full((200, 200), 100, np.uint16)
    drawn[50:150, 50:150] = 900
    assert clipping_level(drawn, full_scale=65535.0) == 65535.0
