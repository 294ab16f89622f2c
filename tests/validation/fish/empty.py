"""Nuclei without a signal: every signal that is counted in them is false."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from her2path.imaging.phantoms.fish import FishPhantom, FishPhantomSpec, render_fish
from her2path.imaging.phantoms.fish_profiles import CONDITIONS, spec_for_profile
from tests.validation.fish.agreement import IOU, overlaps
from tests.validation.fish.cases import first_seed
from tests.validation.fish.reading import FieldReading, FoundNucleus, read_phantom
from tests.validation.measures import Measure, drawn_interval

FIRST = 3000
ASKED = 0.02
COLOUR_REASONS = frozenset({None, "no_her2_signal", "no_cep17_signal", "colourless"})
"""Nuclei whose shape is in order."""
WITHOUT, BESIDE = "without probe", "beside hybridised ones"


@dataclass(frozen=True, slots=True)
class EmptyField:
    """Signals counted where there are none."""

    name: str
    kind: str
    nuclei: int
    her2: int
    cep17: int
    refused: str | None

    def as_json(self) -> dict[str, object]:
        """Plain values."""
        return asdict(self)


def specs(*, development: bool, count: int | None = None) -> list[tuple[str, str, FishPhantomSpec]]:
    """One field without probe under every condition, and one with a patch that did not hybridise."""
    first = first_seed(development=development) + FIRST
    found = []
    for number, condition in enumerate(CONDITIONS):
        base = spec_for_profile(condition, FishPhantomSpec(seed=first + 2 * number))
        found.append((condition, WITHOUT, spec_for_profile("no_probe", base)))
        other = spec_for_profile("unhybridised_patch", replace(base, seed=base.seed + 1))
        found.append((condition, BESIDE, other))
    return found[:: max(1, len(found) // count) | 1] if count else found


def read_empty(given: tuple[str, str, FishPhantomSpec], *, fast: bool = False) -> list[EmptyField]:
    """Count the signals in the empty nuclei of one field."""
    name, kind, spec = given
    phantom = render_fish(spec)
    with tempfile.TemporaryDirectory() as folder:
        reading = read_phantom(phantom, Path(folder), fast=fast)
    sound = [n for n in reading.nuclei if n.exclusion in COLOUR_REASONS]
    if kind == BESIDE:
        sound = _without_copies(sound, phantom, reading)
    her2, cep17 = sum(n.her2 for n in sound), sum(n.cep17 or 0 for n in sound)
    return [EmptyField(name, kind, len(sound), her2, cep17, reading.refused)]


def _without_copies(
    nuclei: list[FoundNucleus], phantom: FishPhantom, reading: FieldReading
) -> list[FoundNucleus]:
    """Those that are true, whole, single nuclei without any copy."""
    iou = overlaps(reading.labels, phantom.labels)
    empty = {
        n.nucleus_id
        for n in phantom.truth.nuclei
        if not (n.her2_copies or n.cep17_copies or n.cut_off or n.overlapping or n.obscured)
    }
    found = []
    for nucleus in nuclei:
        row = iou[nucleus.nucleus_id - 1]
        if row.max(initial=0) > IOU and int(row.argmax()) + 1 in empty:
            found.append(nucleus)
    return found


def rows(found: Sequence[EmptyField]) -> list[Measure]:
    """False signals of either colour per nucleus of sound shape, over the fields that were counted."""
    made = []
    for kind, asked in ((WITHOUT, ASKED), (BESIDE, None)):
        own = [field for field in found if field.kind == kind]
        if own:
            made.append(_row(own, f"false signals per empty nucleus, {kind}", asked))
    return made


def _row(found: Sequence[EmptyField], name: str, asked: float | None) -> Measure:
    counted = [field for field in found if field.refused is None and field.nuclei]
    refused = sum(field.refused is not None for field in found)
    on = f"{len(found)} phantom fields"
    if not counted:
        return Measure(name, on, 0.0, threshold=asked, direction="at most", detail="every field is refused")

    def rate(chosen: Sequence[EmptyField]) -> float:
        nuclei = sum(field.nuclei for field in chosen)
        return sum(field.her2 + field.cep17 for field in chosen) / nuclei if nuclei else float(np.nan)

    low, high = drawn_interval(counted, rate)
    worst = max(counted, key=lambda field: rate([field]))
    her2, cep17 = sum(field.her2 for field in counted), sum(field.cep17 for field in counted)
    nuclei = sum(field.nuclei for field in counted)
    detail = f"HER2 {her2}, CEP17 {cep17} in {nuclei} nuclei; {refused} fields refused; "
    detail += f"worst {worst.name} {rate([worst]):.2f}"
    return Measure(name, on, rate(counted), "", low, high, asked, "at most", detail)
