"""FISH phantoms: what their images show is what their truth says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from her2path.domain.ish import IshGroup, Probe
from her2path.imaging.phantoms.fish import (
    FishPhantom,
    FishPhantomSpec,
    capture_rgb,
    group_of,
    render_fish,
    spec_for_group,
    true_fish,
)
from her2path.imaging.phantoms.fish_truth import NucleusKind, SignalChannel, TrueExclusion

SMALL = FishPhantomSpec(seed=3, width_px=320, height_px=256)


@pytest.fixture(scope="module")
def field() -> FishPhantom:
    return render_fish(spec_for_group(IshGroup.GROUP_1, FishPhantomSpec(seed=11)))


def test_the_same_spec_gives_the_same_image_and_truth():
    first, second = render_fish(SMALL), render_fish(SMALL)
    assert first.planes.tobytes() == second.planes.tobytes()
    assert first.labels.tobytes() == second.labels.tobytes()
    assert first.truth == second.truth


def test_another_seed_gives_another_field():
    assert true_fish(SMALL) != true_fish(replace(SMALL, seed=4))


def test_an_image_is_twelve_bit_in_three_channels(field):
    assert field.planes.shape == (3, 800, 800)
    assert field.planes.dtype == np.uint16
    assert 1000 < field.planes.max() <= 4095


def test_the_truth_without_pixels_is_that_of_the_image(field):
    truth = true_fish(spec_for_group(IshGroup.GROUP_1, FishPhantomSpec(seed=11)))
    assert truth == replace(field.truth, specks=())


def test_every_nucleus_of_the_truth_is_in_the_label_image_at_its_place(field):
    seen = np.unique(field.labels)
    assert set(seen[seen > 0].tolist()) == {n.nucleus_id for n in field.truth.nuclei}
    for nucleus in field.truth.nuclei:
        if not nucleus.overlapping:
            rows, cols = np.nonzero(field.labels == nucleus.nucleus_id)
            assert (cols.mean() + 0.5, rows.mean() + 0.5) == pytest.approx((nucleus.x_px0, nucleus.y_px0))
            assert len(rows) * 0.16**2 == pytest.approx(nucleus.area_um2)


def test_nuclei_touching_the_border_and_no_others_are_cut_off(field):
    edge = np.ones(field.labels.shape, dtype=bool)
    edge[1:-1, 1:-1] = False
    touching = set(field.labels[edge].tolist()) - {0}
    single = {n.nucleus_id: n.cut_off for n in field.truth.nuclei if not n.overlapping}
    assert {number for number, cut in single.items() if cut} == touching & single.keys()
    assert touching


def test_signals_sum_to_the_counts_of_their_nuclei(field):
    for nucleus in field.truth.nuclei:
        own = [s for s in field.truth.signals if s.nucleus_id == nucleus.nucleus_id]
        assert sum(s.channel is SignalChannel.HER2 for s in own) == nucleus.her2_copies
        assert sum(s.channel is SignalChannel.CEP17 for s in own) == nucleus.cep17_copies
        assert len({s.cluster_id for s in own if s.is_cluster}) == nucleus.her2_clusters


def test_nothing_is_resolved_that_is_not_there_and_nothing_there_that_was_not_whole(field):
    for n in field.truth.nuclei:
        assert n.her2_resolvable <= 2 * n.her2_copies
        assert n.her2_copies <= n.her2_whole
        assert (n.her2_resolvable > 0) == (n.her2_copies > 0)


def test_amplified_tumour_nuclei_have_clusters_and_others_never(field):
    clustered = {n.kind for n in field.truth.nuclei if n.her2_clusters}
    assert clustered == {NucleusKind.TUMOUR}
    assert not any(s.is_cluster for s in field.truth.signals if s.channel is SignalChannel.CEP17)


def test_signals_outshine_their_surroundings_where_the_truth_puts_them():
    # Without noise and background each signal alone in its nucleus is a maximum within a pixel.
    spec = FishPhantomSpec(seed=2, noise=0, background=0, doublet_fraction=0, her2_mean=1, her2_fano=0)
    phantom = render_fish(spec)
    orange = phantom.planes[1].astype(float)
    tested = 0
    for nucleus in phantom.truth.evaluable:
        (signal,) = (
            s
            for s in phantom.truth.signals
            if s.nucleus_id == nucleus.nucleus_id and s.channel is SignalChannel.HER2
        )
        rows, cols = np.nonzero(phantom.labels == nucleus.nucleus_id)
        brightest = orange[rows, cols].argmax()
        assert abs(cols[brightest] + 0.5 - signal.x_px0) <= 1
        assert abs(rows[brightest] + 0.5 - signal.y_px0) <= 1
        tested += 1
    assert tested >= 10


def test_dapi_is_brighter_inside_the_nuclei_than_outside(field):
    dapi = field.planes[0].astype(float)
    inside, outside = dapi[field.labels > 0], dapi[field.labels == 0]
    assert np.percentile(inside, 20) > np.percentile(outside, 95)


def test_focal_planes_move_no_nucleus_and_no_signal():
    stack = replace(SMALL, z_planes=5)
    phantom = render_fish(stack)
    assert phantom.planes.shape == (3, 5, 256, 320)
    assert replace(phantom.truth, specks=()) == true_fish(SMALL)


def test_a_signal_is_sharpest_in_the_plane_nearest_to_it():
    spec = FishPhantomSpec(
        seed=5, noise=0, background=0, z_planes=5, z_step_um=0.8, her2_mean=1, her2_fano=0, overlap_share=0
    )
    phantom = render_fish(spec)
    heights = (np.arange(5) - 2) * 0.8
    for signal in phantom.truth.signals:
        row, col = int(signal.y_px0), int(signal.x_px0)
        if signal.channel is SignalChannel.HER2 and not signal.is_doublet:
            best = int(phantom.planes[1, :, row, col].argmax())
            assert abs(heights[best] - signal.z_um) <= 0.8


def test_a_single_probe_has_no_cep17_anywhere():
    truth = true_fish(replace(SMALL, probe=Probe.SINGLE))
    assert all(s.channel is SignalChannel.HER2 for s in truth.signals)
    assert all(n.cep17_copies is None and n.cep17_resolvable is None for n in truth.nuclei)
    assert truth.summary.probe is Probe.SINGLE
    assert group_of(truth.summary) is None


def test_specks_lie_outside_all_nuclei(field):
    assert field.truth.specks
    for speck in field.truth.specks:
        assert field.labels[int(speck.y_px0), int(speck.x_px0)] == 0


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("group", IshGroup)
def test_each_group_holds_on_resolvable_counts_with_enough_nuclei(group, seed):
    truth = true_fish(spec_for_group(group, FishPhantomSpec(seed=seed)))
    assert group_of(truth.summary) is group
    assert truth.summary.nuclei >= 15
    assert len(truth.nuclei) >= 25


@pytest.mark.parametrize("group", IshGroup)
def test_two_fields_hold_their_group_even_when_stroma_is_counted(group):
    for seed in range(0, 10, 2):
        pair = [true_fish(spec_for_group(group, FishPhantomSpec(seed=seed + i))) for i in (0, 1)]
        assert group_of(pair[0].any_kind_summary + pair[1].any_kind_summary) is group


def test_exclusions_name_the_strongest_reason():
    truth = true_fish(FishPhantomSpec(seed=1, cep17_mean=1.0))
    found = {n.exclusion for n in truth.nuclei}
    assert found >= {None, TrueExclusion.CUT_OFF, TrueExclusion.OVERLAPPING, TrueExclusion.NO_CEP17}
    for n in truth.nuclei:
        assert (n.exclusion is TrueExclusion.CUT_OFF) == n.cut_off
        if n.exclusion is TrueExclusion.NO_CEP17:
            assert n.kind is NucleusKind.TUMOUR
            assert not n.overlapping
            assert n.cep17_copies == 0


def test_a_capture_puts_her2_in_red_cep17_in_green_and_dapi_in_blue():
    planes = np.full((3, 64, 64), 100, dtype=np.uint16)
    for channel, row in ((0, 10), (1, 30), (2, 50)):
        planes[channel, row, 5:9] = 1000
    rgb = capture_rgb(planes)
    assert rgb[30, 6].tolist() == [255, 0, 0]
    assert rgb[50, 6].tolist() == [0, 255, 0]
    assert rgb[10, 6].tolist() == [0, 0, 255]
    assert rgb[0, 0].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        pytest.param({"mpp": 0.0}, "mpp", id="pixel size of 0"),
        pytest.param({"mpp": float("nan")}, "mpp", id="pixel size not a number"),
        pytest.param({"width_px": 0}, "width_px", id="no width"),
        pytest.param({"her2_mean": -1.0}, "her2_mean", id="negative copies"),
        pytest.param({"cluster_fraction": 1.5}, "cluster_fraction", id="more clusters than copies"),
        pytest.param({"z_planes": 0}, "z_planes", id="no focal plane"),
        pytest.param({"bit_depth": 32}, "bit_depth", id="more bits than a file holds"),
    ],
)
def test_a_spec_that_cannot_be_is_refused_by_the_name_of_its_number(change, named):
    with pytest.raises(ValueError, match=named):
        FishPhantomSpec(**change)


def test_an_empty_field_is_empty_in_image_and_truth():
    phantom = render_fish(replace(SMALL, nuclei_per_mm2=0))
    assert phantom.truth.nuclei == ()
    assert phantom.truth.summary.nuclei == 0
    assert not phantom.labels.any()
