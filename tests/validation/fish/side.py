"""Signals by her2path and by what a user would take instead, on the same fields in the same run."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from her2path.imaging.phantoms.fish import FishPhantom, FishPhantomSpec, render_fish
from tests.validation.fish import speed
from tests.validation.fish.agreement import Hits, compare, signal_hits
from tests.validation.fish.cases import first_seed
from tests.validation.fish.comparators.big_fish import BigFish, NotInstalledError
from tests.validation.fish.comparators.laplacian import BlobLog, PlainLaplacian
from tests.validation.fish.reading import read_phantom
from tests.validation.measures import Measure, drawn_interval

OWN = "her2path"
TURNS = 3


class Finder(Protocol):
    """A method that finds spots in one plane."""

    @property
    def name(self) -> str:
        """Heading of its column."""

    def spots(self, plane: npt.NDArray[np.uint16], *, mpp: float) -> tuple[npt.NDArray[np.float64], float]:
        """Places and seconds."""

    def close(self) -> None:
        """End what it has started."""


@dataclass(frozen=True, slots=True)
class FieldSpots:
    """One field read by one method."""

    field: str
    profile: str
    method: str
    signals: Hits

    def as_json(self) -> dict[str, object]:
        """Plain values."""
        return asdict(self)


def finders() -> list[Finder]:
    """The comparators that can be had here."""
    found: list[Finder] = [BlobLog(), PlainLaplacian()]
    try:
        found.insert(0, BigFish())
    except NotInstalledError as error:
        sys.stdout.write(f"Big-FISH: not installed ({error})\n")
    return found


def read_fields(
    given: Sequence[tuple[str, str, FishPhantomSpec]], others: Sequence[Finder], *, fast: bool = False
) -> list[FieldSpots]:
    """Read every field by every method; `given` holds name, profile and spec."""
    found = []
    for name, profile, spec in given:
        phantom = render_fish(spec)
        with tempfile.TemporaryDirectory() as folder:
            own = compare(phantom, read_phantom(phantom, Path(folder), fast=fast), spec)
        found.append(FieldSpots(name, profile, OWN, sum(own.signals.values(), start=Hits())))
        for method in others:
            hits = [
                signal_hits(phantom, role, method.spots(plane, mpp=spec.mpp)[0], spec=spec)
                for role, plane in probe_planes(phantom).items()
            ]
            found.append(FieldSpots(name, profile, method.name, sum(hits, start=Hits())))
    return found


def probe_planes(phantom: FishPhantom) -> dict[str, npt.NDArray[np.uint16]]:
    """Both probes as a user would give them: the maximum over the focal planes."""
    flat = phantom.planes if phantom.planes.ndim == 3 else phantom.planes.max(axis=1)
    return {"her2": flat[1], "cep17": flat[2]}


def rows(found: Sequence[FieldSpots]) -> list[Measure]:
    """Pooled signal F1 of one method, over all fields and by profile."""

    def f1(chosen: Sequence[FieldSpots]) -> float:
        return sum((field.signals for field in chosen), start=Hits()).f1

    low, high = drawn_interval(found, f1)
    made = [Measure("signal F1, same fields", f"{len(found)} phantom fields", f1(found), "", low, high)]
    for profile in dict.fromkeys(field.profile for field in found):
        own = [field for field in found if field.profile == profile]
        made.append(Measure(f"signal F1, {profile}", f"{len(own)} phantom fields", f1(own)))
    return made


def seconds(others: Sequence[Finder], *, development: bool) -> dict[str, Measure]:
    """Seconds for the spots of both probes of the field of `speed`; her2path's whole step `fish_signals`."""
    spec = replace(speed.FIELD, seed=first_seed(development=development) + speed.FIRST)
    phantom = render_fish(spec)
    planes = probe_planes(phantom).values()
    with tempfile.TemporaryDirectory() as folder:
        turns = speed.timed(phantom, Path(folder), TURNS)
    every = {OWN: [turn["fish_signals"] for turn in turns]}
    for method in others:
        every[method.name] = [
            sum(method.spots(plane, mpp=spec.mpp)[1] for plane in planes) for _ in range(TURNS)
        ]
    on = f"{speed.SIDE_PX} x {speed.SIDE_PX} px"
    return {
        name: Measure("seconds, spots of both probes", on, float(np.median(taken)), "s")
        for name, taken in every.items()
    }
