"""Truth of a FISH phantom: nuclei, signals, and what can be resolved of them.

Three truths are kept apart: copies in the whole nucleus, copies left in the section, and signals
that can be told apart in the image.  Positions are level-0 pixels (`x_px0`, `y_px0`; origin at the
image's top-left corner, so the centre of pixel (row, col) is (col + 0.5, row + 0.5)).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from her2path.domain.ish import IshGroup, NucleusSignals, Probe, SignalSummary


class NucleusKind(StrEnum):
    """What a nucleus belongs to."""

    TUMOUR = "tumour"
    STROMA = "stroma"
    LYMPHOCYTE = "lymphocyte"


class SignalChannel(StrEnum):
    """Probe that a signal belongs to."""

    HER2 = "her2"
    CEP17 = "cep17"


class TrueExclusion(StrEnum):
    """Why a nucleus is not among the evaluable ones, strongest reason first."""

    CUT_OFF = "cut_off"
    OVERLAPPING = "overlapping"
    OBSCURED = "obscured"
    DAMAGED = "damaged"
    """Crushed or folded."""
    OUT_OF_FOCUS = "out_of_focus"
    NOT_TUMOUR = "not_tumour"
    NO_HER2 = "no_her2"
    NO_CEP17 = "no_cep17"


@dataclass(frozen=True, slots=True)
class TrueSignal:
    """One copy of a locus in the section; a replicated copy shows as two spots."""

    nucleus_id: int
    channel: SignalChannel
    x_px0: float
    y_px0: float
    z_um: float
    """Height above the middle of the section (µm)."""
    peak_e: float
    """Height of its brightest spot over the background when in focus (photoelectrons)."""
    is_cluster: bool
    cluster_id: int
    """Number of the cluster within the image, 0 = no cluster."""
    is_doublet: bool


@dataclass(frozen=True, slots=True)
class TrueNucleus:
    """One nucleus and its counts."""

    nucleus_id: int
    """Value in the label image."""
    kind: NucleusKind
    x_px0: float
    y_px0: float
    area_um2: float
    """Visible area, including what lies under another nucleus."""
    overlapping: bool
    cut_off: bool
    obscured: bool
    """A red blood cell or a bright blob lies over a part of it."""
    her2_whole: int
    """HER2 copies of the whole nucleus, before it was cut."""
    her2_copies: int
    """HER2 copies in the section and inside the image."""
    her2_resolvable: int
    """HER2 signals after merging of spots within one signal diameter; a cluster counts its copies."""
    her2_clusters: int
    cep17_whole: int | None
    """None with a single probe, as all CEP17 numbers."""
    cep17_copies: int | None
    cep17_resolvable: int | None
    exclusion: TrueExclusion | None
    """Why it is not counted; None = evaluable."""
    population: int = 1
    """Sort of tumour cells, 1 or 2; 0 = no tumour cell."""
    in_focus: bool = True
    """Lies in the section's plane; the signals of a lifted nucleus cannot be seen."""


@dataclass(frozen=True, slots=True)
class TrueSpeck:
    """A spot outside all nuclei that is no signal: debris or unspecific probe."""

    channel: SignalChannel | None
    """None = visible in both probe channels."""
    x_px0: float
    y_px0: float
    fwhm_um: float


@dataclass(frozen=True, slots=True)
class FishTruth:
    """Everything that is known about one phantom field."""

    probe: Probe
    mpp: float
    merge_um: float
    """Spots whose centres are no further apart were merged for the resolvable counts."""
    nuclei: tuple[TrueNucleus, ...]
    signals: tuple[TrueSignal, ...]
    specks: tuple[TrueSpeck, ...]

    @property
    def evaluable(self) -> tuple[TrueNucleus, ...]:
        """Tumour nuclei that a reader would count."""
        return tuple(n for n in self.nuclei if n.exclusion is None)

    @property
    def summary(self) -> SignalSummary:
        """Resolvable signals over the evaluable tumour nuclei."""
        return SignalSummary.of(
            (NucleusSignals(n.her2_resolvable, n.cep17_resolvable) for n in self.evaluable), probe=self.probe
        )

    @property
    def any_kind_summary(self) -> SignalSummary:
        """Resolvable signals over all whole single nuclei with every colour, stroma and lymphocytes too.

        What a count without a drawn tumour region gives: the diploid nuclei pull every mean towards 2.
        """
        whole = (n for n in self.nuclei if n.exclusion in (None, TrueExclusion.NOT_TUMOUR))
        counted = (n for n in whole if n.her2_resolvable and n.cep17_resolvable != 0)
        return SignalSummary.of(
            (NucleusSignals(n.her2_resolvable, n.cep17_resolvable) for n in counted), probe=self.probe
        )

    @property
    def section_summary(self) -> SignalSummary:
        """Copies in the section over the same nuclei: what perfect resolution would count."""
        return SignalSummary.of(
            (NucleusSignals(n.her2_copies, n.cep17_copies) for n in self.evaluable), probe=self.probe
        )


def group_of(summary: SignalSummary) -> IshGroup | None:
    """State the dual-probe ISH group of exact totals, in integers.

    Written out here on purpose: a truth that asked `domain.guideline` could never convict it.

    Returns
    -------
    group : IshGroup or None
        None where no group exists: a single probe, no nucleus, or no CEP17 signal.

    References
    ----------
    .. [1] Wolff et al., J Clin Oncol 36:2105 (2018).

    Examples
    --------
    >>> group_of(SignalSummary(20, 80, 40)).value
    '1'
    """
    if not summary.cep17 or not summary.nuclei:
        return None
    has_four_copies = summary.her2 >= 4 * summary.nuclei
    if summary.her2 >= 2 * summary.cep17:
        return IshGroup.GROUP_1 if has_four_copies else IshGroup.GROUP_2
    if summary.her2 >= 6 * summary.nuclei:
        return IshGroup.GROUP_3
    return IshGroup.GROUP_4 if has_four_copies else IshGroup.GROUP_5


def resolvable_count(
    spots_um: npt.NDArray[np.float64], cluster_copies: Sequence[int], *, merge_um: float
) -> int:
    """Count what can be told apart of one nucleus's spots of one colour.

    Parameters
    ----------
    spots_um : ndarray of float64, shape (S, 2)
        Positions of the spots (µm).
    cluster_copies : sequence of int, length S
        0 for a spot of its own, 1 for a spot that is one copy of a cluster.
    merge_um : float
        Spots whose centres are no further apart (also through others) count as one.

    Returns
    -------
    count : int
        Number of groups of merged spots; a group with a cluster counts the cluster's copies, because
        a cluster is estimated, never counted as one signal.

    Raises
    ------
    ValueError
        The two inputs differ in length.

    Examples
    --------
    >>> resolvable_count(np.array([[0.0, 0.0], [0.3, 0.0], [2.0, 0.0]]), [0, 0, 0], merge_um=0.5)
    2
    """
    n = len(spots_um)
    if len(cluster_copies) != n:
        raise ValueError(f"{n} spots but {len(cluster_copies)} cluster marks")
    group = list(range(n))
    for i in range(n):
        near = np.hypot(*(spots_um[:i] - spots_um[i]).T) <= merge_um
        for j in np.flatnonzero(near).tolist():
            old, new = group[j], group[i]
            group = [new if g == old else g for g in group]
    totals: dict[int, int] = {}
    for g, copies in zip(group, cluster_copies, strict=True):
        totals[g] = totals.get(g, 0) + copies
    return sum(copies or 1 for copies in totals.values())
