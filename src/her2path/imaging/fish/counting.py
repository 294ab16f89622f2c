"""Counts per nucleus, and which nuclei may be counted.

Only nuclei with at least one signal of each colour are scored; a nucleus without one or both
says nothing of its copies, as the hybridisation or the section's cut may have lost them.  A nucleus
that autofluorescence lies over is `obscured`: signals under the glow cannot be seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

NO_NUCLEUS = 0
"""Nucleus id of signals over no nucleus."""
GLOW = "glow"
"""Channel of the rows that say that autofluorescence of both probe colours lies over a nucleus."""


@dataclass(frozen=True, slots=True)
class NucleusCount:
    """Signals of one nucleus."""

    nucleus_id: int
    her2: int
    cep17: int | None
    """None with a single-probe assay."""
    her2_clusters: int
    exclusion: str | None
    """Why it is not scored; None = scored."""


def count_nuclei(
    ids: Sequence[int],
    shape_exclusions: Sequence[str | None],
    signals: Iterable[tuple[int, str, int, bool]],
    *,
    dual: bool,
) -> tuple[NucleusCount, ...]:
    """Sum the signals of every nucleus and say whether it is scored.

    Parameters
    ----------
    ids : sequence of int
        Nuclei in the order of the result.
    shape_exclusions : sequence of str or None
        Why the shape of a nucleus rules it out, in the same order.
    signals : iterable of (nucleus id, role, copies, is_cluster)
        0 copies = too weak to be counted; role ``glow`` = light over the nucleus that hides signals.
    dual : bool
        Whether CEP17 is counted beside HER2.

    Returns
    -------
    counts : tuple of NucleusCount
        Further reasons are ``obscured`` (glow lies over it), ``no_her2_signal``,
        ``no_cep17_signal`` and ``colourless`` (neither colour).

    Raises
    ------
    ValueError
        A signal lies in a nucleus that is not among `ids` (0, over no nucleus, may).

    Examples
    --------
    >>> count_nuclei([1], [None], [(1, "her2", 2, False)], dual=True)[0].exclusion
    'no_cep17_signal'
    """
    her2 = dict.fromkeys(ids, 0)
    cep17 = dict.fromkeys(ids, 0)
    clusters = dict.fromkeys(ids, 0)
    obscured: set[int] = set()
    for nucleus_id, role, copies, is_cluster in signals:
        if nucleus_id == NO_NUCLEUS:
            continue
        if nucleus_id not in her2:
            raise ValueError(f"a signal lies in nucleus {nucleus_id}, which is not among the nuclei")
        if role == "her2":
            her2[nucleus_id] += copies
            clusters[nucleus_id] += is_cluster
        elif role == "cep17":
            cep17[nucleus_id] += copies
        elif role == GLOW:
            obscured.add(nucleus_id)
    return tuple(
        NucleusCount(
            nucleus_id,
            her2[nucleus_id],
            cep17[nucleus_id] if dual else None,
            clusters[nucleus_id],
            reason
            or ("obscured" if nucleus_id in obscured else None)
            or _colour_exclusion(her2[nucleus_id], cep17[nucleus_id] if dual else None),
        )
        for nucleus_id, reason in zip(ids, shape_exclusions, strict=True)
    )


def _colour_exclusion(her2: int, cep17: int | None) -> str | None:
    if her2 == 0:
        return "colourless" if cep17 == 0 else "no_her2_signal"
    return "no_cep17_signal" if cep17 == 0 else None
