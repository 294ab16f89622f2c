"""Fields without probe: every signal that is counted in them is false."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from her2path.imaging.phantoms.fish import FishPhantomSpec, render_fish
from tests.validation.fish.cases import PROFILES, first_seed
from tests.validation.fish.reading import read_phantom
from tests.validation.measures import Measure, drawn_interval

FIRST = 3000
PER_PROFILE = 2
COLOUR_REASONS = frozenset({None, "no_her2_signal", "no_cep17_signal", "colourless"})
"""Nuclei whose shape is in order."""


@dataclass(frozen=True, slots=True)
class EmptyField:
    """Signals counted where there are none."""

    name: str
    nuclei: int
    her2: int
    cep17: int
    refused: str | None

    def as_json(self) -> dict[str, object]:
        """Plain values."""
        return asdict(self)


def specs(*, development: bool, count: int | None = None) -> list[tuple[str, FishPhantomSpec]]:
    """Two fields of every profile, with all that can be taken for a signal and no signal."""
    found = []
    for number, (name, base) in enumerate(PROFILES.items()):
        for turn in range(PER_PROFILE):
            seed = first_seed(development=development) + FIRST + 10 * number + turn
            found.append((f"{name} {turn + 1}", replace(base, seed=seed, signal_level=0.0)))
    return found[:: max(1, len(found) // count)] if count else found


def read_empty(given: tuple[str, FishPhantomSpec], *, fast: bool = False) -> list[EmptyField]:
    """Count the signals of one field."""
    name, spec = given
    phantom = render_fish(spec)
    with tempfile.TemporaryDirectory() as folder:
        reading = read_phantom(phantom, Path(folder), fast=fast)
    sound = [n for n in reading.nuclei if n.exclusion in COLOUR_REASONS]
    her2, cep17 = sum(n.her2 for n in sound), sum(n.cep17 or 0 for n in sound)
    return [EmptyField(name, len(sound), her2, cep17, reading.refused)]


def rows(found: Sequence[EmptyField]) -> list[Measure]:
    """False signals of either colour per nucleus of sound shape, over the fields that were counted."""
    counted = [field for field in found if field.refused is None]
    refused = len(found) - len(counted)
    name = "false signals per empty nucleus"
    on = f"{len(found)} phantom fields without probe"
    if not counted:
        return [Measure(name, on, 0.0, threshold=0.02, direction="at most", detail="every field is refused")]

    def rate(chosen: Sequence[EmptyField]) -> float:
        nuclei = sum(field.nuclei for field in chosen)
        return sum(field.her2 + field.cep17 for field in chosen) / nuclei if nuclei else float(np.nan)

    low, high = drawn_interval(counted, rate)
    worst = max(counted, key=lambda field: rate([field]))
    her2, cep17 = sum(field.her2 for field in counted), sum(field.cep17 for field in counted)
    nuclei = sum(field.nuclei for field in counted)
    detail = f"HER2 {her2}, CEP17 {cep17} in {nuclei} nuclei; {refused} fields refused; "
    detail += f"worst {worst.name} {rate([worst]):.2f}"
    return [Measure(name, on, rate(counted), "", low, high, 0.02, "at most", detail)]
