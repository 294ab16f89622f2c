"""Does the FISH validation itself count rightly?"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from her2path.domain.ish import IshGroup, Probe, SignalSummary
from her2path.imaging.phantoms.fish import FishPhantom, FishPhantomSpec, render_fish, spec_for_group
from her2path.imaging.phantoms.fish_detail import FishOptics
from her2path.imaging.phantoms.fish_profiles import PROFILES
from her2path.imaging.phantoms.fish_truth import (
    FishTruth,
    NucleusKind,
    SignalChannel,
    TrueExclusion,
    TrueNucleus,
    TrueSignal,
)
from tests.validation.fish.agreement import Hits, compare, nucleus_hits, signal_hits
from tests.validation.fish.cases import Aim, is_borderline, plans
from tests.validation.fish.measures import CaseAgreement, group_row, phantom_rows, ratio_errors
from tests.validation.fish.reading import FieldReading, FoundNucleus, FoundSignals

MPP = 0.2
NUCLEUS = TrueNucleus(
    nucleus_id=1,
    kind=NucleusKind.TUMOUR,
    x_px0=50.0,
    y_px0=50.0,
    area_um2=64.0,
    overlapping=False,
    cut_off=False,
    obscured=False,
    her2_whole=2,
    her2_copies=2,
    her2_resolvable=2,
    her2_clusters=0,
    cep17_whole=2,
    cep17_copies=2,
    cep17_resolvable=2,
    exclusion=None,
)


def signal(row: float, col: float, *, cluster: int = 0, nucleus: int = 1) -> TrueSignal:
    return TrueSignal(
        nucleus, SignalChannel.HER2, col, row, 0.0, 1500.0, cluster > 0, cluster, is_doublet=False
    )


def field(*signals: TrueSignal, nucleus: TrueNucleus = NUCLEUS) -> FishPhantom:
    """One square nucleus of 8 x 8 µm, whose signal diameter of 0.5 µm is 2.5 px."""
    labels = np.zeros((100, 100), np.int32)
    labels[30:70, 30:70] = 1
    truth = FishTruth(Probe.DUAL, MPP, 0.5, (nucleus,), signals, ())
    return FishPhantom(np.zeros((3, 100, 100), np.uint16), labels, truth)


def places(*found: tuple[float, float]) -> np.ndarray:
    return np.array(found, np.float64).reshape(-1, 2)


def reading(phantom: FishPhantom, her2: list[tuple[float, float, int]], **nucleus: object) -> FieldReading:
    rows = np.array(her2, np.float64).reshape(-1, 3)
    copies = rows[:, 2].astype(np.int32)
    found = FoundSignals(rows[:, 0], rows[:, 1], np.ones(len(rows), np.int32), copies, copies > 1)
    none = FoundSignals(*(np.zeros(0),) * 2, *(np.zeros(0, np.int32),) * 2, np.zeros(0, bool))  # type: ignore[arg-type]
    counted = FoundNucleus(
        **{"nucleus_id": 1, "her2": int(copies.sum()), "cep17": 2, "exclusion": None} | nucleus
    )
    return FieldReading(phantom.labels, (counted,), {"her2": found, "cep17": none}, 1.0)


@pytest.fixture(scope="module")
def phantom() -> FishPhantom:
    spec = FishPhantomSpec(seed=580_900, width_px=500, height_px=500)
    return render_fish(spec_for_group(IshGroup.GROUP_3, spec))


def perfect(phantom: FishPhantom) -> FieldReading:
    truth = phantom.truth
    signals = {}
    for role in ("her2", "cep17"):
        # One place for every group of copies within one signal diameter.
        own: list[TrueSignal] = []
        for one in (s for s in truth.signals if s.channel.value == role):
            apart = [np.hypot(one.x_px0 - o.x_px0, one.y_px0 - o.y_px0) * truth.mpp for o in own]
            if min(apart, default=9) > truth.merge_um:
                own.append(one)
        ones = np.ones(len(own), np.int32)
        signals[role] = FoundSignals(
            np.array([s.y_px0 for s in own]),
            np.array([s.x_px0 for s in own]),
            np.array([s.nucleus_id for s in own], np.int32),
            ones,
            ones > 1,
        )
    nuclei = tuple(
        FoundNucleus(n.nucleus_id, n.her2_resolvable, n.cep17_resolvable, n.exclusion) for n in truth.nuclei
    )
    return FieldReading(phantom.labels, nuclei, signals, 1.0)


def test_the_truth_read_back_is_without_fault(phantom):
    found = compare(phantom, perfect(phantom))
    assert found.nuclei.f1 == 1
    assert len(found.counted) == len(phantom.truth.evaluable) > 5
    assert all((n.her2, n.cep17) == (n.her2_true, n.cep17_true) for n in found.counted)
    assert found.scored == found.scored_true
    assert min(hits.f1 for hits in found.signals.values()) > 0.98
    assert (found.kept_wrongly, found.left_out) == ({}, {})


def test_what_was_kept_as_json_comes_back_the_same(phantom):
    case = CaseAgreement("case", "profile", (compare(phantom, perfect(phantom)),))
    assert CaseAgreement.of_json(case.as_json()) == case


@pytest.mark.parametrize(
    ("off_px", "hits"),
    [pytest.param(1.2, 1, id="0.24 µm off"), pytest.param(1.3, 0, id="0.26 µm off: beyond one radius")],
)
def test_a_signal_is_found_within_one_signal_radius(off_px, hits):
    assert signal_hits(field(signal(50, 50)), "her2", places((50 + off_px, 50))) == Hits(1, 1, hits)


def test_two_copies_within_one_diameter_are_one_signal():
    near = field(signal(50, 50), signal(50, 52.4))
    assert signal_hits(near, "her2", places((50, 51.2))) == Hits(1, 1, 1)
    apart = field(signal(50, 50), signal(50, 52.6))
    assert signal_hits(apart, "her2", places((50, 51.3))) == Hits(1, 2, 0)


def test_two_found_signals_never_share_one_true_signal():
    assert signal_hits(field(signal(50, 50)), "her2", places((50, 50.5), (50, 49.5))) == Hits(2, 1, 1)


def test_nuclei_with_a_cluster_and_hidden_ones_are_left_out_on_both_sides():
    clustered = field(*(signal(50, 50 + i, cluster=1) for i in range(6)))
    assert signal_hits(clustered, "her2", places((50, 50), (60, 60))) == Hits(0, 0, 0)
    obscured = field(signal(50, 50), nucleus=replace(NUCLEUS, obscured=True))
    assert signal_hits(obscured, "her2", places((50, 50))) == Hits(0, 0, 0)
    lifted = field(signal(50, 50), nucleus=replace(NUCLEUS, in_focus=False))
    assert signal_hits(lifted, "her2", places((50, 50))) == Hits(0, 0, 0)


def test_a_spot_beside_all_nuclei_is_false_only_where_it_was_counted_in_one():
    beside = places((50, 50), (5, 5))
    assert signal_hits(field(signal(50, 50)), "her2", beside).found == 1
    assert signal_hits(field(signal(50, 50)), "her2", beside, np.array([True, True])).found == 2


def test_a_cluster_is_given_all_copies_that_are_found_on_it():
    cluster = [signal(50, 45 + 1.5 * i, cluster=1) for i in range(8)]
    phantom = field(*cluster, signal(62, 62), nucleus=replace(NUCLEUS, her2_clusters=1))
    found = compare(phantom, reading(phantom, [(50, 47, 6), (50.5, 55, 1), (62, 62, 1)]))
    assert found.clusters == [(8, 7)]


@pytest.mark.parametrize(("copies", "asked"), [(5, 0), (6, 1), (50, 1), (51, 0)])
def test_clusters_of_6_to_50_copies_are_asked_for(copies, asked):
    phantom = field(*(signal(50, 40 + 0.3 * i, cluster=1) for i in range(copies)))
    assert len(compare(phantom, reading(phantom, [(50, 45, 5)])).clusters) == asked


def test_only_nuclei_scored_by_both_are_compared():
    excluded = field(signal(50, 50), nucleus=replace(NUCLEUS, exclusion=TrueExclusion.NOT_TUMOUR))
    found = compare(excluded, reading(excluded, [(50, 50, 1)]))
    assert (found.counted, found.kept_wrongly) == ([], {"not_tumour": 1})
    whole = field(signal(50, 50))
    found = compare(whole, reading(whole, [(50, 50, 1)], exclusion="overlapping"))
    assert (found.counted, found.left_out) == ([], {"overlapping": 1})


@pytest.mark.parametrize(
    ("columns", "hits"),
    [
        pytest.param(21, 1, id="21 of 40: more than half of the union"),
        pytest.param(20, 0, id="20 of 40: half is not more than half"),
    ],
)
def test_an_object_is_found_above_half_the_union(columns, hits):
    truth = field().labels
    part = truth.copy()
    part[:, 30 + columns :] = 0
    assert nucleus_hits(part, truth, mpp=MPP) == Hits(1, 1, hits)


def test_a_sliver_at_the_border_is_neither_missed_nor_invented():
    truth = np.zeros((100, 100), np.int32)
    truth[:10, :20] = 1  # 8 µm²
    assert nucleus_hits(truth, truth, mpp=MPP) == Hits(0, 0, 0)
    assert nucleus_hits(np.zeros_like(truth), truth, mpp=MPP) == Hits(0, 0, 0)


def test_a_refused_field_has_no_counts_and_a_wrong_group(phantom):
    refused = FieldReading(np.zeros(phantom.labels.shape, np.int32), (), {}, 1.0, "no_nuclei")
    case = CaseAgreement("case", "profile", (compare(phantom, refused),))
    assert ratio_errors([case]) == [-100.0]
    row = group_row([case], borderline=is_borderline(case.true), asked=97.0)
    assert row is not None
    assert row.value == 0


def test_every_row_of_the_issue_comes_from_cases(phantom):
    case = CaseAgreement("case", "profile", (compare(phantom, perfect(phantom)),))
    names = {row.name for row in phantom_rows([case, case])}
    assert {"nuclei F1 at half the union", "signal F1 outside clusters"} <= names
    assert {
        "HER2 of a nucleus exact, outside clusters",
        "CEP17 of a nucleus within one, outside clusters",
    } <= names
    assert {"ratio, relative error, median", "ratio, relative error, 95th percentile"} <= names


@pytest.mark.parametrize(
    ("her2", "cep17", "borderline"),
    [
        pytest.param(420, 200, True, id="ratio 2.1, 4.2 copies"),
        pytest.param(480, 220, False, id="ratio 2.18, 4.8 copies"),
        pytest.param(370, 150, True, id="3.7 copies"),
        pytest.param(369, 150, False, id="3.69 copies, ratio 2.46"),
        pytest.param(600, 200, False, id="6 copies do not matter at ratio 3"),
        pytest.param(600, 400, True, id="6 copies at ratio 1.5"),
    ],
)
def test_a_case_is_borderline_beside_a_cut_that_decides(her2, cep17, borderline):
    assert is_borderline(SignalSummary(100, her2, cep17)) is borderline


def test_validation_seeds_and_development_seeds_do_not_meet():
    seeds = {
        development: [plan.spec.seed for plan in plans(development=development)]
        for development in (False, True)
    }
    assert all(780_000 <= seed < 790_000 for seed in seeds[False])
    assert all(580_000 <= seed < 590_000 for seed in seeds[True])
    # A case takes up to six fields, of counting seeds.
    assert all(later - earlier >= 6 for earlier, later in pairwise(seeds[False]))


def test_there_are_sixty_cases_of_all_profiles_some_of_them_borderline():
    found = plans(development=True)
    assert len(found) == len({plan.name for plan in found}) == 60
    assert {plan.profile for plan in found} >= set(PROFILES) - {"no_probe", "unhybridised_patch"}
    assert sum(plan.aim is not None for plan in found) == 12


def test_a_borderline_case_lies_where_it_is_aimed():
    plan = next(p for p in plans(development=True) if p.aim == Aim("ratio", 1.98))
    case = plan.made()
    assert case.borderline
    assert case.truth.her2_cep17_ratio == pytest.approx(1.98, abs=0.06)


def test_a_shifted_channel_may_be_stated_in_its_own_frame():
    one = field(signal(50, 50))
    spec = FishPhantomSpec(optics=FishOptics(her2_shift_px=(4.0, 0.0)), mpp=MPP)
    assert signal_hits(one, "her2", places((50, 54)), spec=spec).hits == 1
    assert signal_hits(one, "her2", places((50, 50)), spec=spec).hits == 1
    assert signal_hits(one, "her2", places((50, 52)), spec=spec).hits == 0
