"""What the guideline's reasons to reject a FISH test look like, in whole numbers.

Signals over cytoplasm are set against all signals in and around nuclei of the region, and weak ones
against all signals of the nuclei that were looked at for signals: nuclei that were excluded for
lacking a colour are among them, since a nucleus whose every signal is weak is what the criterion is
about.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from her2path.domain.count_quality import CountQuality, Part
from her2path.imaging.fish.counting import GLOW, NO_NUCLEUS

_OUTSIDE = frozenset({"excluded_region", "outside_tumour_region"})
_NOT_WHOLE = _OUTSIDE | {"cut_off", "too_small"}
"""Not met as a nucleus: outside the region, cut by the border, or a fragment."""
_UNRESOLVED = frozenset({"out_of_focus", "crushed", "folded", "dapi_saturated"})
"""Reasons that say that a nucleus cannot be resolved, and not only that it lies unfavourably."""
_LOOKED_AT = frozenset({None, "no_her2_signal", "no_cep17_signal", "colourless"})
_FIT = _LOOKED_AT | {"obscured"}
_CHUNK = 256
"""Signals at a time: every one is held against all nuclei, of which a scan has thousands."""


@dataclass(frozen=True, slots=True)
class MetNucleus:
    """A DAPI object: where it lies and why it is not counted."""

    nucleus_id: int
    x_um: float
    y_um: float
    area_um2: float
    exclusion: str | None
    """None = counted."""


@dataclass(frozen=True, slots=True)
class MetSignal:
    """A row of the table of signals."""

    nucleus_id: int
    role: str
    copies: int
    """0 = too weak to be counted."""
    x_um: float
    y_um: float


def measure_quality(nuclei: Sequence[MetNucleus], signals: Iterable[MetSignal]) -> CountQuality:
    """Count what speaks for and against a count.

    Parameters
    ----------
    nuclei : sequence of MetNucleus
        All DAPI objects of the image.
    signals : iterable of MetSignal
        All rows; those of role ``glow`` are left out.

    Returns
    -------
    CountQuality
        Copies of clusters count as so many signals.
    """
    rows = [signal for signal in signals if signal.role != GLOW]
    looked_at = {n.nucleus_id for n in nuclei if n.exclusion in _LOOKED_AT}
    inside = {n.nucleus_id for n in nuclei if n.exclusion not in _OUTSIDE}
    strong = sum(s.copies for s in rows if s.nucleus_id in looked_at)
    weak = sum(s.nucleus_id in looked_at and s.copies == 0 for s in rows)
    in_nuclei = sum(s.copies for s in rows if s.nucleus_id in inside)
    around = sum(_lies_in_region([s for s in rows if s.nucleus_id == NO_NUCLEUS and s.copies], nuclei))
    met = [n for n in nuclei if n.exclusion not in _NOT_WHOLE]
    fit = [n for n in nuclei if n.exclusion in _FIT]
    return CountQuality(
        weak=Part(weak, weak + strong),
        cytoplasmic=Part(around, around + in_nuclei),
        unresolved=Part(sum(n.exclusion in _UNRESOLVED for n in met), len(met)),
        obscured=Part(sum(n.exclusion == "obscured" for n in fit), len(fit)),
    )


def _lies_in_region(outside: Sequence[MetSignal], nuclei: Sequence[MetNucleus]) -> list[bool]:
    """Tell which signals over no nucleus lie nearest to one that the drawn regions leave in."""
    if not any(n.exclusion in _OUTSIDE for n in nuclei):
        return [True] * len(outside)
    places = np.array([(n.x_um, n.y_um) for n in nuclei], np.float64)
    radius = np.sqrt(np.array([n.area_um2 for n in nuclei], np.float64) / np.pi)
    is_inside = np.array([n.exclusion not in _OUTSIDE for n in nuclei], np.bool_)
    found: list[bool] = []
    for start in range(0, len(outside), _CHUNK):
        part = np.array([(s.x_um, s.y_um) for s in outside[start : start + _CHUNK]], np.float64)
        found += is_inside[_nearest(part, places, radius)].tolist()
    return found


def _nearest(
    points: npt.NDArray[np.float64], places: npt.NDArray[np.float64], radius: npt.NDArray[np.float64]
) -> npt.NDArray[np.int64]:
    """Nucleus whose rim, taken for a circle, lies nearest to each point."""
    far = np.hypot(points[:, None, 0] - places[None, :, 0], points[:, None, 1] - places[None, :, 1])
    nearest: npt.NDArray[np.int64] = np.argmin(far - radius[None, :], axis=1)
    return nearest
