"""Thin sections, mixtures, damage and crowds: what the image shows is what the truth says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from her2path.imaging.phantoms.fish import FishPhantomSpec, render_fish, true_fish
from her2path.imaging.phantoms.fish_detail import FishTissue, MixedClusters, SecondPopulation
from her2path.imaging.phantoms.fish_truth import FishTruth, NucleusKind, TrueExclusion

PLAIN = FishPhantomSpec(seed=501_100, her2_mean=6, cep17_mean=4, her2_fano=0, cep17_fano=0)


def truth_of(tissue: FishTissue, **over: object) -> FishTruth:
    return true_fish(replace(PLAIN, tissue=tissue, **over))  # type: ignore[arg-type]


def tumour_of(truth: FishTruth) -> list:
    return [n for n in truth.nuclei if n.kind is NucleusKind.TUMOUR and not n.cut_off]


def test_a_thin_section_loses_copies_by_the_volume_it_cuts_away():
    wide = {"width_px": 1200, "height_px": 1200}
    thin, thick = (
        tumour_of(truth_of(FishTissue(section_cut=True), section_um=um, **wide)) for um in (4.0, 12.0)
    )
    assert {n.her2_whole for n in thin} == {6}
    kept = [np.mean([n.her2_copies / n.her2_whole for n in nuclei]) for nuclei in (thin, thick)]
    assert 0.25 < kept[0] < 0.6
    assert kept[1] > kept[0] + 0.1


def test_caps_of_nuclei_are_smaller_than_whole_ones():
    whole, cut = truth_of(FishTissue()), truth_of(FishTissue(section_cut=True))
    areas = [sorted(n.area_um2 for n in tumour_of(truth)) for truth in (whole, cut)]
    assert areas[1][-1] <= areas[0][-1]
    assert np.median(areas[1]) < 0.95 * np.median(areas[0])


def test_small_slices_hold_fewer_copies_than_large_ones():
    nuclei = tumour_of(truth_of(FishTissue(section_cut=True), width_px=1400, height_px=1400))
    nuclei.sort(key=lambda n: n.area_um2)
    third = len(nuclei) // 3
    small, large = (np.mean([n.her2_copies for n in part]) for part in (nuclei[:third], nuclei[-third:]))
    assert small < 0.8 * large


@pytest.mark.parametrize("place", ["patch", "mixed"])
def test_a_second_population_has_its_share_its_copies_and_its_place(place):
    second = SecondPopulation(0.3, 14.0, 4.0, her2_fano=0.0, cep17_fano=0.0, place=place)
    nuclei = tumour_of(truth_of(FishTissue(second=second), width_px=1200, height_px=1200))
    own = [n for n in nuclei if n.population == 2]
    assert len(own) / len(nuclei) == pytest.approx(0.3, abs=0.08)
    assert {n.her2_whole for n in own} == {14}
    assert {n.her2_whole for n in nuclei if n.population == 1} == {6}
    # Neighbours of one population lie together in a patch, and as chance has it otherwise.
    places = np.array([(n.x_px0, n.y_px0) for n in nuclei])
    kinds = np.array([n.population for n in nuclei])
    apart = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1)) + 1e9 * np.eye(len(places))
    same = np.mean(kinds[apart.argmin(axis=1)][kinds == 2] == 2)
    assert same > 0.7 if place == "patch" else same < 0.6


def test_other_cells_are_of_no_population():
    second = SecondPopulation(0.5, 14.0)
    others = [n for n in truth_of(FishTissue(second=second)).nuclei if n.kind is not NucleusKind.TUMOUR]
    assert {n.population for n in others} == {0}


def test_clusters_have_the_sizes_that_are_asked_for_on_top_of_single_copies():
    clusters = MixedClusters(share=1.0, most=1, copies=(6, 50))
    truth = truth_of(FishTissue(clusters=clusters), section_um=4.0)
    nuclei = tumour_of(truth)
    assert all(n.her2_clusters == 1 for n in nuclei)
    sizes = [n.her2_copies - 6 for n in nuclei]
    assert min(sizes) >= 6
    assert max(sizes) <= 50
    assert max(sizes) > 2 * min(sizes)


def test_crushed_and_folded_nuclei_are_damaged_in_the_truth():
    truth = truth_of(FishTissue(crushed_share=0.3, folded_share=0.3))
    reasons = [n.exclusion for n in tumour_of(truth)]
    assert 0.3 < np.mean([r is TrueExclusion.DAMAGED for r in reasons]) < 0.8


def test_a_fold_is_brighter_than_what_lies_single():
    spec = replace(PLAIN, width_px=300, height_px=300, noise=0, overlap_share=0.0)
    plain, folded = (
        render_fish(replace(spec, tissue=FishTissue(folded_share=share))).planes[0].astype(float)
        for share in (0.0, 1.0)
    )
    assert (folded / plain).max() > 1.5
    np.testing.assert_allclose(folded.min(), plain.min(), rtol=0.05)


def test_lifted_nuclei_are_out_of_focus_in_image_and_truth():
    spec = replace(PLAIN, width_px=400, height_px=400, noise=0)
    plain, lifted = (
        render_fish(replace(spec, tissue=FishTissue(defocused_share=share))) for share in (0.0, 1.0)
    )

    def steepest(planes: np.ndarray) -> float:
        return float(np.abs(np.diff(planes[0].astype(float), axis=1)).max())

    assert steepest(lifted.planes) < 0.4 * steepest(plain.planes)
    assert not lifted.truth.evaluable


def test_lymphocytes_crowd_without_lying_upon_others():
    small = {"width_px": 500, "height_px": 500}
    plain, crowded = truth_of(FishTissue(), **small), truth_of(FishTissue(lymphocyte_crowds=300), **small)
    added = crowded.nuclei[len(plain.nuclei) :]
    assert len(added) > 20
    assert {n.kind for n in added} == {NucleusKind.LYMPHOCYTE}
    assert not any(n.overlapping for n in added)


@pytest.mark.parametrize("name", ["fibres", "granules", "dust"])
def test_autofluorescence_shines_in_both_probe_channels(name):
    level = {"fibres": 2.0, "granules": 20_000, "dust": 500}[name]
    spec = replace(PLAIN, width_px=300, height_px=300, signal_level=0.0, noise=0)
    plain, more = (
        render_fish(replace(spec, tissue=t)).planes for t in (FishTissue(), FishTissue(**{name: level}))
    )
    gained = (more.astype(float) - plain).clip(0).sum(axis=(1, 2))
    assert gained[1] > 0.2 * gained[2] > 0


def test_fragments_shine_in_dapi_and_are_no_nuclei():
    spec = replace(PLAIN, width_px=300, height_px=300, noise=0)
    plain, more = (render_fish(replace(spec, tissue=FishTissue(fragments=n))) for n in (0, 5000))
    gained = (more.planes.astype(float) - plain.planes).clip(0).sum(axis=(1, 2))
    assert gained[0] > 5 * gained[1:].max()
    assert len(more.truth.nuclei) == len(plain.truth.nuclei)
    assert len(more.truth.specks) > len(plain.truth.specks)


def test_each_concern_leaves_the_others_alone():
    plain = truth_of(FishTissue())
    glowing = truth_of(FishTissue(rims=0.5, fragments=1000))
    assert glowing == plain
    mixed = truth_of(FishTissue(second=SecondPopulation(0.3, 14.0)))
    assert [n.area_um2 for n in mixed.nuclei] == [n.area_um2 for n in plain.nuclei]


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(lambda: FishTissue(crushed_share=1.2), id="a share above 1"),
        pytest.param(lambda: MixedClusters(copies=(50, 6)), id="most below fewest"),
        pytest.param(lambda: SecondPopulation(float("nan"), 6.0), id="a share that is no number"),
    ],
)
def test_what_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError, match="must lie within"):
        wrong()
