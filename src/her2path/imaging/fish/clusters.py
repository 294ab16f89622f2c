"""From spots to signals: doublets merged, clusters marked and their copies estimated.

Two spots of one colour no further apart than one signal diameter count as one signal.  Where
many copies lie so close that their spots run together, counting spots is an undercount: the
light of the patch over that of a single signal of the same image is the estimate, marked as one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from her2path.imaging.fish.patches import ClusterParams, Flux, Patches, SingleSignal
from her2path.imaging.fish.spots import Spots

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Signals:
    """Signals of one channel in order of nucleus, row and column."""

    row: Floats
    col: Floats
    snr: Floats
    nucleus: Ints
    is_cluster: Mask
    height: Floats
    """Greatest height of its spots."""
    copies: Ints
    """1 for a signal, an estimate for a cluster."""
    low: Ints
    """Bounds of the estimate (`Flux.interval`); `copies` for a signal."""
    high: Ints

    def __len__(self) -> int:
        return len(self.row)


def group_signals(
    spots: Spots, patches: Patches, *, single: SingleSignal, mpp: float, params: ClusterParams
) -> Signals:
    """Merge doublets and mark clusters.

    Parameters
    ----------
    spots : Spots
        Accepted spots of one channel.
    patches : Patches
        Of the same spots (`measure_patches`).
    single : SingleSignal
        With its flux; without it no cluster is estimated.
    mpp : float
        Pixel size in µm.
    params : ClusterParams

    Returns
    -------
    signals : Signals
        One row per signal or cluster; a merged doublet stands at the mean of its spots.
    """
    patch = patches.labels[spots.row.astype(int), spots.col.astype(int)]
    share = _share_of_patch(spots, patch)
    bodies: list[_Body] = []
    done = np.zeros(len(spots), bool)
    for index in range(len(spots)):
        if done[index]:
            continue
        together = spots.nucleus == spots.nucleus[index]
        together &= (patch == patch[index]) & (patch > 0)
        together[index] = True
        members = np.flatnonzero(together & ~done)
        done[members] = True
        merged = merge_doublets(spots.row[members], spots.col[members], within_px=single.diameter_um / mpp)
        groups = [members[merged == g] for g in range(merged.max() + 1)]
        dense = patches.mean[patch[index]] >= params.min_density * single.height
        copies = _estimate(patches.flux[patch[index]], share[members], single, patch[index]) if dense else 0.0
        # A bright signal of usual size is one signal; a cluster of one top is wider.
        wide = copies >= params.min_width * float(spots.height[members].sum()) / single.height
        may_be = copies >= max(params.min_copies, len(groups) + 1) and (wide or len(groups) > 1)
        bodies.append(_Body(int(spots.nucleus[members[0]]), members, groups, copies if may_be else 0.0))
    rows: list[_Signal] = []
    least = _brightest_single(bodies, single, params)
    for body in bodies:
        if single.flux and body.copies and body.copies >= len(body.groups) - 1 + least:
            cluster = body.copies, single.flux
            rows.append(_signal(spots, body.members, cluster=cluster, most=params.max_copies))
        else:
            rows += [_signal(spots, group) for group in body.groups]
    return _columns(_merge_across_patches(rows, within_px=single.diameter_um / mpp))


@dataclass(frozen=True, slots=True)
class _Body:
    """The spots of one nucleus that share a patch of light."""

    nucleus: int
    members: npt.NDArray[np.intp]
    groups: list[npt.NDArray[np.intp]]
    """Spots within one signal diameter of each other."""
    copies: float
    """What its light may stand for; 0 = no cluster."""


def _brightest_single(bodies: list[_Body], single: SingleSignal, params: ClusterParams) -> float:
    """Say how many copies a single signal of the image may shine like.

    Where many nuclei hold what may be a cluster the gene is amplified in clusters, and a bright patch is one.
    Where hardly any does, a bright patch is more likely the brightest of many single signals.
    """
    if single.flux is None:
        return 0.0
    nuclei = {body.nucleus for body in bodies if body.nucleus > 0}
    with_clusters = {body.nucleus for body in bodies if body.copies and body.nucleus > 0}
    usual = len(with_clusters) >= params.usual_share * max(len(nuclei), 1)
    return 0.0 if usual else single.flux.brightest


def merge_doublets(row: Floats, col: Floats, *, within_px: float) -> Ints:
    """Give a group number to places that are linked by steps of at most `within_px`.

    Returns
    -------
    group : ndarray of int32, shape (n,)
        0 to k - 1 in order of first appearance.

    Examples
    --------
    >>> merge_doublets(np.array([0.0, 3.0, 9.0]), np.zeros(3), within_px=3.0).tolist()
    [0, 0, 1]
    """
    if len(row) < 2:
        return np.zeros(len(row), np.int32)
    near = np.hypot(row[:, None] - row[None, :], col[:, None] - col[None, :]) <= within_px
    group = np.arange(len(row))
    while True:
        lowest = np.where(near, group[None, :], len(row)).min(axis=1, initial=len(row))
        if np.array_equal(lowest, group):
            break
        group = lowest
    return np.unique(group, return_inverse=True)[1].astype(np.int32)


def _share_of_patch(spots: Spots, patch: Ints) -> Floats:
    total = np.bincount(patch, spots.height)
    share: Floats = spots.height / total[patch]
    return share


def _estimate(flux: float, shares: Floats, single: SingleSignal, patch: int) -> float:
    if patch == 0 or not single.flux:
        return 0.0
    return float(flux * shares.sum() / single.flux.mean)


@dataclass(frozen=True, slots=True)
class _Signal:
    """One row of `Signals`."""

    nucleus: int
    row: float
    col: float
    snr: float
    height: float
    is_cluster: bool = False
    copies: int = 1
    low: int = 1
    high: int = 1


def _signal(
    spots: Spots,
    members: npt.NDArray[np.intp],
    *,
    cluster: tuple[float, Flux] | None = None,
    most: int = 1,
) -> _Signal:
    """One signal, or a cluster of so many copies, from its spots."""
    weight = spots.height[members]
    found = _Signal(
        nucleus=int(spots.nucleus[members[0]]),
        row=float(np.average(spots.row[members], weights=weight)),
        col=float(np.average(spots.col[members], weights=weight)),
        snr=float(spots.snr[members].max()),
        height=float(weight.max()),
    )
    if cluster is None:
        return found
    copies, flux = cluster
    low, high = flux.interval(copies)
    stated = min(round(copies), most)
    return replace(found, is_cluster=True, copies=stated, low=min(low, stated), high=high)


def _merge_across_patches(rows: list[_Signal], *, within_px: float) -> list[_Signal]:
    """Merge single signals that lie within one diameter although a dark line parts their patches."""
    # Outside nuclei nothing is counted by place, so nothing there needs merging.
    kept = [r for r in rows if r.is_cluster or r.nucleus == 0]
    single = [r for r in rows if not r.is_cluster and r.nucleus > 0]
    for nucleus in sorted({r.nucleus for r in single}):
        own = [r for r in single if r.nucleus == nucleus]
        group = merge_doublets(
            np.array([r.row for r in own]), np.array([r.col for r in own]), within_px=within_px
        )
        for number in range(group.max() + 1):
            part = [r for r, g in zip(own, group, strict=True) if g == number]
            kept.append(
                _Signal(
                    nucleus=nucleus,
                    row=float(np.mean([r.row for r in part])),
                    col=float(np.mean([r.col for r in part])),
                    snr=max(r.snr for r in part),
                    height=max(r.height for r in part),
                )
            )
    return sorted(kept, key=lambda r: (r.nucleus, r.row, r.col))


def _columns(rows: list[_Signal]) -> Signals:
    return Signals(
        row=np.array([r.row for r in rows], np.float64),
        col=np.array([r.col for r in rows], np.float64),
        snr=np.array([r.snr for r in rows], np.float64),
        height=np.array([r.height for r in rows], np.float64),
        nucleus=np.array([r.nucleus for r in rows], np.int32),
        is_cluster=np.array([r.is_cluster for r in rows], bool),
        copies=np.array([r.copies for r in rows], np.int32),
        low=np.array([r.low for r in rows], np.int32),
        high=np.array([r.high for r in rows], np.int32),
    )
