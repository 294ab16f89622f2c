"""One field's reading held against its truth: nuclei, signals, counts of nuclei, clusters.

*Nuclei*: an object is found if it shares more than half of the union with a true one.  True pieces
below `SLIVER_UM2`, which the border or another nucleus leaves of a nucleus, are neither asked for nor
held against a method that finds them; nor are found objects below it, such as apoptotic bodies.

*Signals*: copies of one colour within one signal diameter (also through others) are one true signal,
across nuclei that overlap as well.  It is found if a counted signal lies within one signal radius of
one of its spots or of their centre; pairs are made from the nearest on, one to one.  Nuclei that hold
a true cluster of that colour, and nuclei obscured by an artefact or lifted out of focus, are left out on
both sides.

*Counts*: over nuclei scored by both, her2path and the truth: matched as above, whole, single, tumour,
with both colours.  The true count is what can be resolved.

*Clusters*: copies of all signals that lie within one signal diameter of a true cluster, over its copies.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from functools import partial

import cv2
import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from her2path.imaging.phantoms.fish import FishPhantom, FishPhantomSpec
from her2path.imaging.phantoms.fish_optics import shown_at
from her2path.imaging.phantoms.fish_truth import FishTruth, SignalChannel, TrueNucleus, TrueSignal
from tests.validation.fish.reading import FieldReading, FoundNucleus

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]
Labels = npt.NDArray[np.int32]

IOU = 0.5
SLIVER_UM2 = 9.0
EDGE_UM = 0.4
"""A signal this close outside a true outline still lies over the nucleus."""
CLUSTER_COPIES = (6, 50)


@dataclass
class Hits:
    """Pairs of found and true things."""

    found: int = 0
    true: int = 0
    hits: int = 0

    def __add__(self, other: Hits) -> Hits:
        return Hits(self.found + other.found, self.true + other.true, self.hits + other.hits)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 1 where there is nothing and nothing was found."""
        both = self.found + self.true
        return 2 * self.hits / both if both else 1.0


@dataclass(frozen=True, slots=True)
class CountedNucleus:
    """One nucleus scored by both sides."""

    her2: int
    her2_true: int
    cep17: int | None
    cep17_true: int | None
    clusters: int
    """True clusters of HER2 in it."""


@dataclass
class FieldAgreement:
    """What was right in one field; plain values, so that it can be kept as JSON."""

    nuclei: Hits = field(default_factory=Hits)
    signals: dict[str, Hits] = field(default_factory=dict)
    """By role."""
    counted: list[CountedNucleus] = field(default_factory=list)
    clusters: list[tuple[int, int]] = field(default_factory=list)
    """True and found copies of each true cluster of 6 to 50 copies."""
    scored: tuple[int, int, int] = (0, 0, 0)
    """Nuclei, HER2 and CEP17 of the nuclei that her2path scores."""
    scored_true: tuple[int, int, int] = (0, 0, 0)
    """The same of the nuclei that a reader would score."""
    kept_wrongly: dict[str, int] = field(default_factory=dict)
    """Scored objects that a reader would not score, by why."""
    left_out: dict[str, int] = field(default_factory=dict)
    """Nuclei that a reader would score and her2path does not, by its reason."""
    seconds: float = 0.0
    refused: str | None = None

    def as_json(self) -> dict[str, object]:
        """Plain values."""
        return asdict(self)


def compare(
    phantom: FishPhantom, reading: FieldReading, spec: FishPhantomSpec | None = None
) -> FieldAgreement:
    """Hold the reading of a field against its truth; `spec` tells how its channels are shifted."""
    truth = phantom.truth
    found = FieldAgreement(seconds=reading.seconds, refused=reading.refused)
    iou = overlaps(reading.labels, phantom.labels)
    found.nuclei = nucleus_hits(reading.labels, phantom.labels, mpp=truth.mpp)
    for role in ("her2", "cep17") if truth.summary.cep17 is not None else ("her2",):
        own = reading.signals.get(role)
        places = np.zeros((0, 2)) if own is None else own.places
        counted = np.zeros(0, bool) if own is None else own.nucleus > 0
        found.signals[role] = signal_hits(phantom, role, places, counted, spec)
    matched = {
        n.nucleus_id: truth.nuclei[int(row.argmax())]
        for n, row in zip(reading.nuclei, iou, strict=True)
        if row.max(initial=0) > IOU
    }
    _add_counts(found, truth, reading.nuclei, matched)
    totals, expected = reading.summary(truth.probe), truth.summary
    found.scored = (totals.nuclei, totals.her2, totals.cep17 or 0)
    found.scored_true = (expected.nuclei, expected.her2, expected.cep17 or 0)
    found.clusters = cluster_copies(truth, reading)
    return found


def overlaps(labels: Labels, truth: Labels) -> Floats:
    """Intersection over union of every object with every true one, shape (found, true)."""
    shape = int(labels.max(initial=0)) + 1, int(truth.max(initial=0)) + 1
    pairs = labels.ravel().astype(np.int64) * shape[1] + truth.ravel()
    both = np.bincount(pairs, minlength=shape[0] * shape[1]).reshape(shape).astype(np.float64)
    union = both.sum(1)[:, None] + both.sum(0)[None, :] - both
    iou: Floats = (both / np.maximum(union, 1))[1:, 1:]
    return iou


def nucleus_hits(labels: Labels, truth: Labels, *, mpp: float) -> Hits:
    """Count objects found at half the union; slivers do not count on either side."""
    areas = np.bincount(truth.ravel())[1:] * mpp**2
    asked = areas >= SLIVER_UM2
    iou = overlaps(labels, truth)
    sizes = np.bincount(labels.ravel())[1:] * mpp**2
    right = (iou[:, asked] > IOU).any(axis=1)
    on_sliver = np.zeros(len(iou), bool)
    if iou.size:
        best = iou.argmax(axis=1)
        on_sliver = (iou.max(axis=1) > 0) & ~asked[best]
    counted = right | ((sizes >= SLIVER_UM2) & ~on_sliver)
    return Hits(int(counted.sum()), int(asked.sum()), int(right.sum()))


def _add_counts(
    found: FieldAgreement,
    truth: FishTruth,
    nuclei: Iterable[FoundNucleus],
    matched: dict[int, TrueNucleus],
) -> None:
    wrongly: Counter[str] = Counter()
    reasons: dict[int, str] = {}
    for nucleus in nuclei:
        true = matched.get(nucleus.nucleus_id)
        if nucleus.exclusion is not None:
            if true is not None:
                reasons[true.nucleus_id] = nucleus.exclusion
            continue
        if true is None or true.exclusion is not None:
            wrongly["no nucleus" if true is None else str(true.exclusion or "")] += 1
            continue
        reasons[true.nucleus_id] = ""
        found.counted.append(
            CountedNucleus(
                nucleus.her2,
                true.her2_resolvable,
                nucleus.cep17,
                true.cep17_resolvable,
                true.her2_clusters,
            )
        )
    found.kept_wrongly = dict(sorted(wrongly.items()))
    words = (reasons.get(n.nucleus_id, "not found") for n in truth.evaluable)
    found.left_out = dict(sorted(Counter(word for word in words if word).items()))


def signal_hits(
    phantom: FishPhantom,
    role: str,
    places: Floats,
    counted: npt.NDArray[np.bool_] | None = None,
    spec: FishPhantomSpec | None = None,
) -> Hits:
    """Signals of one probe outside clusters.

    Parameters
    ----------
    phantom : FishPhantom
        Field with its truth.
    role : str
        ``her2`` or ``cep17``.
    places : ndarray of float64, shape (n, 2)
        Found rows and columns.
    counted : ndarray of bool, shape (n,), optional
        Found signals that were counted in a nucleus: these are false where there is no true nucleus.
        Others are looked at over true nuclei only, as by a user who masks the nuclei by hand.
    spec : FishPhantomSpec, optional
        Where its channels are shifted, places may be stated in the frame of DAPI, of HER2 or of their own
        channel; the one that fits a whole field best is taken.
    """
    truth = phantom.truth
    own = [s for s in truth.signals if s.channel.value == role]
    clustered = {s.nucleus_id for s in own if s.is_cluster}
    unasked = clustered | {n.nucleus_id for n in truth.nuclei if n.obscured or not n.in_focus}
    over = nuclei_at(phantom.labels, places, reach_px=EDGE_UM / truth.mpp)
    kept = ~np.isin(over, sorted(unasked))
    kept &= (over > 0) | (np.zeros(len(places), bool) if counted is None else counted)
    groups = merged([s for s in own if s.nucleus_id not in unasked], truth)
    radius = truth.merge_um / 2 / truth.mpp
    frames = [groups]
    if spec is not None:
        for channel in dict.fromkeys((SignalChannel.HER2, SignalChannel(role))):
            shown = partial(shown_at, channel=channel, shape=phantom.labels.shape, spec=spec)
            frames.append([np.array([shown((row, col)) for row, col in group]) for group in groups])
    hits = max(len(pair_groups(places[kept], frame, radius)) for frame in frames)
    return Hits(int(kept.sum()), len(groups), hits)


def nuclei_at(labels: Labels, places: Floats, *, reach_px: float) -> Indices:
    """Nucleus under each place or, where there is none, the nearest within `reach_px`; 0 = none."""
    outside = (labels == 0).astype(np.uint8)
    distance, nearest = cv2.distanceTransformWithLabels(
        outside, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    of_zone = np.zeros(int(nearest.max(initial=0)) + 1, np.int64)
    of_zone[nearest[labels > 0]] = labels[labels > 0]
    rows, cols = (np.clip(places[:, i].astype(int), 0, labels.shape[i] - 1) for i in (0, 1))
    near = distance[rows, cols] <= reach_px
    return np.where(near, of_zone[nearest[rows, cols]], 0)


def merged(signals: list[TrueSignal], truth: FishTruth) -> list[Floats]:
    """Places (row, column) of the copies of each signal that can be told apart."""
    if not signals:
        return []
    places = np.array([(s.y_px0, s.x_px0) for s in signals])
    near = cKDTree(places).query_pairs(truth.merge_um / truth.mpp, output_type="ndarray")
    links = coo_array((np.ones(len(near)), (near[:, 0], near[:, 1])), shape=(len(places),) * 2)
    count, group = connected_components(links, directed=False)
    return [places[group == g] for g in range(count)]


def pair_groups(places: Floats, groups: list[Floats], reach: float) -> list[tuple[int, int]]:
    """Pair places with groups of spots one to one, the nearest first; a group's centre counts as well."""
    if not len(places) or not groups:
        return []
    points = np.concatenate([np.vstack([g, g.mean(axis=0)]) for g in groups])
    owner = np.repeat(np.arange(len(groups)), [len(g) + 1 for g in groups])
    near = cKDTree(places).sparse_distance_matrix(cKDTree(points), reach, output_type="coo_matrix")
    order = np.lexsort((near.col, near.row, near.data))
    taken: tuple[set[int], set[int]] = (set(), set())
    pairs = []
    for one, other in zip(near.row[order].tolist(), owner[near.col[order]].tolist(), strict=True):
        if one not in taken[0] and other not in taken[1]:
            taken[0].add(one)
            taken[1].add(other)
            pairs.append((one, other))
    return pairs


def cluster_copies(truth: FishTruth, reading: FieldReading) -> list[tuple[int, int]]:
    """True and found copies of the true HER2 clusters of whole, single nuclei that are not obscured."""
    found = reading.signals.get("her2")
    if found is None:
        return []
    hidden = {n.nucleus_id for n in truth.nuclei if n.obscured or not n.in_focus}
    clear = {n.nucleus_id for n in truth.nuclei if not (n.cut_off or n.overlapping)} - hidden
    groups = [
        group
        for group in _cluster_groups(truth)
        if group[0].nucleus_id in clear and any(s.cluster_id for s in group)
    ]
    if not groups:
        return []
    points = np.array([(s.y_px0, s.x_px0) for group in groups for s in group])
    owner = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    totals = np.zeros(len(groups), int)
    if len(found.row):
        apart, nearest = cKDTree(points).query(found.places)
        own = apart <= truth.merge_um / truth.mpp
        np.add.at(totals, owner[nearest[own]], found.copies[own])
    low, high = CLUSTER_COPIES
    return [
        (len(group), int(total))
        for group, total in zip(groups, totals, strict=True)
        if low <= len(group) <= high
    ]


def _cluster_groups(truth: FishTruth) -> list[list[TrueSignal]]:
    """HER2 copies by cluster; clusters of one nucleus that touch, and single copies in them, are one."""
    groups = []
    for number in sorted({s.nucleus_id for s in truth.signals if s.cluster_id}):
        own = [s for s in truth.signals if s.nucleus_id == number and s.channel.value == "her2"]
        places = np.array([(s.y_px0, s.x_px0) for s in own])
        ids = np.array([s.cluster_id for s in own])
        near = cKDTree(places).sparse_distance_matrix(
            cKDTree(places), truth.merge_um / truth.mpp, output_type="coo_matrix"
        )
        same = np.argwhere((ids[:, None] == ids[None, :]) & (ids[:, None] > 0))
        rows, cols = np.r_[near.row, same[:, 0]], np.r_[near.col, same[:, 1]]
        count, group = connected_components(
            coo_array((np.ones(len(rows)), (rows, cols)), shape=(len(own),) * 2)
        )
        groups += [[own[i] for i in np.flatnonzero(group == g)] for g in range(count)]
    return groups
