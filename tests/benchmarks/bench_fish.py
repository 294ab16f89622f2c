"""FISH: how right and how fast.  Phantoms of seeds that no parameter was chosen on.

Every figure is of phantoms or of nuclei without probes: no public set of dual-probe images with
counts is known, so none of them is a claim of accuracy on patients.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from her2path.domain.ish import IshGroup, NucleusSignals, SignalSummary
from her2path.imaging.fish.counting import GLOW, NucleusCount, count_nuclei
from her2path.imaging.fish.nuclei import Nuclei, NucleusParams, measure_levels, segment_nuclei
from her2path.imaging.fish.signals import FieldSignals, SignalParams, count_signals, learn_signals
from her2path.imaging.phantoms.fish import (
    FishPhantom,
    FishPhantomSpec,
    group_of,
    render_fish,
    spec_for_group,
)
from tests.support.fish_fields import run_chain, write_ome

SEEDS = range(7000, 7008)
SPEED_PX = 2048
CONDITIONS: dict[str, FishPhantomSpec] = {
    "as delivered": FishPhantomSpec(),
    "0.10 µm/px": FishPhantomSpec(mpp=0.1, width_px=1280, height_px=1280),
    "0.25 µm/px": FishPhantomSpec(mpp=0.25, width_px=512, height_px=512),
    "5 focal planes": FishPhantomSpec(z_planes=5),
    "blur x 1.6": FishPhantomSpec(blur=1.6),
    "background x 2.5, noise x 2": FishPhantomSpec(background=2.5, noise=2.0),
    "half the signal": FishPhantomSpec(signal_level=0.5),
    "3500 nuclei/mm²": FishPhantomSpec(nuclei_per_mm2=3500),
}


@dataclass
class Tally:
    """What was right over several fields."""

    found: int = 0
    true: int = 0
    hits: int = 0
    signals_found: int = 0
    signals_true: int = 0
    signal_hits: int = 0
    nuclei: int = 0
    her2_exact: int = 0
    cep17_exact: int = 0
    fields: int = 0
    groups: int = 0
    kept_wrongly: int = 0
    kept: int = 0
    clustered: int = 0
    clustered_within_one: int = 0
    clustered_found: int = 0
    clustered_true: int = 0
    ratio_errors: list[float] = field(default_factory=list)
    mean_errors: list[float] = field(default_factory=list)


def measure(phantom: FishPhantom) -> tuple[Nuclei, FieldSignals, tuple[NucleusCount, ...]]:
    """Run the chain's imaging on a phantom."""
    planes = phantom.planes.astype(np.float32)
    # As `FieldSource.plane` does: probes by their maximum; the phantom's middle plane is the sharpest.
    dapi = planes[0] if planes.ndim == 3 else planes[0, planes.shape[1] // 2]
    probes = {
        role: planes[i] if planes.ndim == 3 else planes[i].max(axis=0)
        for i, role in ((1, "her2"), (2, "cep17"))
    }
    mpp, shapes, signals = phantom.truth.mpp, NucleusParams(), SignalParams()
    levels = measure_levels(dapi, mpp=mpp, params=shapes)
    nuclei = segment_nuclei(dapi, mpp=mpp, levels=levels, params=shapes)
    learnt = learn_signals(dapi, probes, nuclei.labels, mpp=mpp, params=signals)
    found = count_signals(dapi, probes, nuclei.labels, learnt, mpp=mpp, params=signals)
    rows = [(glow.nucleus, GLOW, 0, False) for glow in found.glow]
    for role, channel in found.channels.items():
        part = channel.signals
        rows += [
            (int(n), role, int(c), bool(k))
            for n, c, k in zip(part.nucleus, part.copies, part.is_cluster, strict=True)
        ]
    ids = list(range(1, len(nuclei.exclusion) + 1))
    return nuclei, found, count_nuclei(ids, nuclei.exclusion, rows, dual=True)


def overlaps(labels: npt.NDArray[np.int32], truth: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
    """Intersection over union of every object with every true one."""
    both = np.zeros((labels.max() + 1, truth.max() + 1))
    np.add.at(both, (labels.ravel(), truth.ravel()), 1)
    union = both.sum(1)[:, None] + both.sum(0)[None, :] - both
    iou: npt.NDArray[np.float64] = (both / np.maximum(union, 1))[1:, 1:]
    return iou


def add(tally: Tally, phantom: FishPhantom, group: IshGroup) -> None:
    """Compare one field with its truth."""
    nuclei, found, counts = measure(phantom)
    iou = overlaps(nuclei.labels, phantom.labels)
    tally.found += iou.shape[0]
    tally.true += int((np.bincount(phantom.labels.ravel())[1:] > 0).sum())
    tally.hits += int((iou > 0.5).sum())
    _add_signals(tally, phantom, found)
    truth = {n.nucleus_id: n for n in phantom.truth.nuclei}
    for count, row in zip(counts, iou, strict=True):
        if count.exclusion is not None:
            continue
        tally.kept += 1
        nucleus = truth[int(row.argmax()) + 1] if row.max(initial=0) > 0.5 else None
        if nucleus is None or nucleus.exclusion is not None:
            tally.kept_wrongly += 1
            continue
        tally.nuclei += 1
        tally.her2_exact += count.her2 == nucleus.her2_resolvable
        tally.cep17_exact += count.cep17 == nucleus.cep17_resolvable
        if nucleus.her2_clusters:
            tally.clustered += 1
            tally.clustered_within_one += abs(count.her2 - nucleus.her2_resolvable) <= 1
            tally.clustered_found += count.her2
            tally.clustered_true += nucleus.her2_resolvable
    counted = SignalSummary.of(NucleusSignals(c.her2, c.cep17) for c in counts if c.exclusion is None)
    expected = phantom.truth.summary
    tally.fields += 1
    tally.groups += group_of(counted) is group
    assert counted.her2_cep17_ratio and expected.her2_cep17_ratio and expected.her2_mean  # noqa: PT018
    tally.ratio_errors.append(counted.her2_cep17_ratio / expected.her2_cep17_ratio - 1)
    tally.mean_errors.append((counted.her2_mean or 0.0) / expected.her2_mean - 1)


def _add_signals(tally: Tally, phantom: FishPhantom, found: FieldSignals) -> None:
    """Match lone signals in nuclei within 0.3 µm; clusters are judged by the counts instead."""
    reach = 0.3 / phantom.truth.mpp
    for role, channel in found.channels.items():
        part = channel.signals
        own = (part.nucleus > 0) & ~part.is_cluster
        places = np.stack([part.row[own], part.col[own]], axis=1)
        clustered = {s.nucleus_id for s in phantom.truth.signals if s.is_cluster and s.channel.value == role}
        lone = [s for s in phantom.truth.signals if s.channel.value == role and s.nucleus_id not in clustered]
        owner = (
            phantom.labels[places[:, 0].astype(int), places[:, 1].astype(int)] if len(places) else np.zeros(0)
        )
        places = places[[o not in clustered for o in owner]] if len(places) else places
        true = np.array([(s.y_px0, s.x_px0) for s in lone]).reshape(-1, 2)
        tally.signals_found += len(places)
        tally.signals_true += len(true)
        tally.signal_hits += _matches(places, true, reach)


def _matches(places: npt.NDArray[np.float64], true: npt.NDArray[np.float64], reach: float) -> int:
    """Greedy one-to-one matches, nearest first."""
    if not len(places) or not len(true):
        return 0
    apart = np.hypot(*(places[:, None] - true[None]).transpose(2, 0, 1))
    pairs = np.argwhere(apart <= reach)
    order = np.argsort(apart[pairs[:, 0], pairs[:, 1]], kind="stable")
    used: tuple[set[int], set[int]] = (set(), set())
    for one, other in pairs[order].tolist():
        if one not in used[0] and other not in used[1]:
            used[0].add(one)
            used[1].add(other)
    return len(used[0])


def accuracy() -> Iterator[str]:
    """One line per condition, five groups by eight seeds each (two seeds where it is not the default)."""
    yield (
        f"{'phantoms':<29}{'nuclei':>7}{'signal':>7}{'HER2':>6}{'CEP17':>6}"
        f"{'wrongly':>8}{'group':>8}{'ratio':>17}{'HER2 mean':>12}"
    )
    yield (
        f"{'':<29}{'F1':>7}{'F1':>7}{'exact':>6}{'exact':>6}"
        f"{'kept':>8}{'':>8}{'mean ± sd':>12}{'max':>5}{'error':>12}"
    )
    for name, base in CONDITIONS.items():
        tally = Tally()
        for seed in SEEDS if name == "as delivered" else SEEDS[:2]:
            for group in IshGroup:
                add(
                    tally,
                    render_fish(spec_for_group(group, replace(base, seed=10 * seed + int(group)))),
                    group,
                )
        yield _line(name, tally)
        if name == "as delivered":
            clusters = tally
    yield (
        f"nuclei with clusters, as delivered: {clusters.clustered}, HER2 within one copy in "
        f"{clusters.clustered_within_one / clusters.clustered:.2f}, in sum "
        f"{clusters.clustered_found / clusters.clustered_true - 1:+.3f}"
    )


def _line(name: str, tally: Tally) -> str:
    errors = np.array(tally.ratio_errors)
    return (
        f"{name:<29}{2 * tally.hits / (tally.found + tally.true):7.3f}"
        f"{2 * tally.signal_hits / (tally.signals_found + tally.signals_true):7.3f}"
        f"{tally.her2_exact / tally.nuclei:6.2f}{tally.cep17_exact / tally.nuclei:6.2f}"
        f"{tally.kept_wrongly:>4}/{tally.kept:<4}{tally.groups:>4}/{tally.fields:<3}"
        f"{errors.mean():+7.3f} ± {errors.std():.3f}{np.abs(errors).max():6.2f}"
        f"{np.mean(tally.mean_errors):+10.3f}"
    )


def real_nuclei() -> str:
    """F1 at an overlap of half the union on 33 fields with labels; pixel size by the median nucleus."""
    root = Path(os.environ.get("HER2PATH_REAL_DATA", Path(__file__).parents[2].parent / "shared" / "data"))
    folder = root / "dapi_nuclei"
    if not folder.is_dir():
        return "dapi_nuclei: not found"
    scores, hits, total = [], 0, 0
    for path in sorted((folder / "images").iterdir()):
        dapi = cv2.imread(str(path), cv2.IMREAD_UNCHANGED).astype(np.float32)
        truth = cv2.imread(str(folder / "labels" / path.name), cv2.IMREAD_UNCHANGED).astype(np.int32)
        areas = np.bincount(truth.ravel())[1:]
        mpp = (65.0 / float(np.median(areas[areas > 0]))) ** 0.5
        params = NucleusParams()
        levels = measure_levels(dapi, mpp=mpp, params=params)
        labels = segment_nuclei(dapi, mpp=mpp, levels=levels, params=params).labels
        hit, both = int((overlaps(labels, truth) > 0.5).sum()), int(labels.max() + (areas > 0).sum())
        scores.append(2 * hit / both)
        hits, total = hits + hit, total + both
    return (
        f"dapi_nuclei, {len(scores)} fields: nuclei F1 median {np.median(scores):.3f}, "
        f"mean {np.mean(scores):.3f}, pooled {2 * hits / total:.3f}"
    )


def speed() -> Iterator[str]:
    """Seconds of each step on a field of 2048 x 2048 pixels and three channels."""
    spec = FishPhantomSpec(seed=7777, width_px=SPEED_PX, height_px=SPEED_PX)
    phantom = render_fish(spec_for_group(IshGroup.GROUP_1, spec))
    with tempfile.TemporaryDirectory() as name:
        path = write_ome(Path(name) / "field.ome.tif", phantom.planes)
        best = float("inf")
        for turn in range(3):
            start = time.perf_counter()
            run_chain([path], Path(name) / str(turn))
            best = min(best, time.perf_counter() - start)
    yield f"{SPEED_PX} x {SPEED_PX} x 3, intake to gallery: {best:.2f} s (best of 3)"


def main() -> None:
    """Print all tables."""
    for line in accuracy():
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    sys.stdout.write(real_nuclei() + "\n")
    for line in speed():
        sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
