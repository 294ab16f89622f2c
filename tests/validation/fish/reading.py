"""What her2path reads in one field, run as an operator runs it: from a file, through all steps."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tifffile

from her2path.domain.ish import NucleusSignals, Probe, SignalSummary
from her2path.errors import Her2PathError
from her2path.imaging.fish.counting import count_nuclei
from her2path.imaging.phantoms.fish import FishPhantom
from her2path.io.tables import FISH_NUCLEI, FISH_OBJECTS, FISH_SIGNALS, read_table
from tests.support.fish_fields import chain_steps, write_ome

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Labels = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class FoundNucleus:
    """One object of the field."""

    nucleus_id: int
    her2: int
    cep17: int | None
    exclusion: str | None


@dataclass(frozen=True, slots=True)
class FoundSignals:
    """Counted signals of one probe; arrays of shape (n,)."""

    row: Floats
    col: Floats
    nucleus: Ints
    """0 = over no nucleus."""
    copies: Ints
    is_cluster: npt.NDArray[np.bool_]

    @property
    def places(self) -> Floats:
        """Row and column, shape (n, 2)."""
        return np.column_stack([self.row, self.col])


@dataclass(frozen=True, slots=True)
class FieldReading:
    """What was found in one field."""

    labels: Labels
    nuclei: tuple[FoundNucleus, ...]
    signals: dict[str, FoundSignals]
    """By role, ``her2`` and ``cep17``."""
    seconds: float
    refused: str | None = field(default=None)
    """Code of the reason why nothing was counted."""

    @property
    def scored(self) -> tuple[FoundNucleus, ...]:
        """Nuclei that were counted."""
        return tuple(n for n in self.nuclei if n.exclusion is None)

    def summary(self, probe: Probe) -> SignalSummary:
        """Totals over the scored nuclei."""
        return SignalSummary.of((NucleusSignals(n.her2, n.cep17) for n in self.scored), probe=probe)


def read_phantom(phantom: FishPhantom, folder: Path, *, fast: bool = False) -> FieldReading:
    """Write a phantom as OME-TIFF and read it by all steps; a refusal is a reading without nuclei.

    With `fast` the step `fish_counts` is left out and its counting function is called instead.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "field.ome.tif"
    mpp, eight_bit = phantom.truth.mpp, int(phantom.planes.max(initial=0)) <= np.iinfo(np.uint8).max
    axes = "CYX" if phantom.planes.ndim == 3 else "CZYX"
    planes = phantom.planes.astype(np.uint8) if eight_bit else phantom.planes
    write_ome(file, planes, axes=axes, PhysicalSizeX=mpp, PhysicalSizeY=mpp)
    started = time.perf_counter()
    try:
        for name, step in chain_steps([file], folder / "out", probe=phantom.truth.probe):
            if name != "fish_counts" or not fast:
                step()
    except Her2PathError as error:
        seconds = time.perf_counter() - started
        code = str(getattr(error, "code", None) or type(error).__name__)
        return FieldReading(np.zeros(phantom.labels.shape, np.int32), (), {}, seconds, code)
    seconds = time.perf_counter() - started
    labels = tifffile.imread(folder / "out" / "fish_labels.tif").astype(np.int32)
    if fast:
        nuclei = _counted(folder / "out", dual=phantom.truth.probe is Probe.DUAL)
    else:
        nuclei = _from_table(folder / "out")
    return FieldReading(labels, nuclei, signals_of(folder / "out"), seconds)


def _counted(folder: Path, *, dual: bool) -> tuple[FoundNucleus, ...]:
    objects = read_table(folder / "fish_objects.parquet", FISH_OBJECTS).to_pydict()
    table = read_table(folder / "fish_signals.parquet", FISH_SIGNALS).to_pydict()
    names = ("nucleus_id", "channel", "copies", "is_cluster")
    signals = zip(*(table[name] for name in names), strict=True)
    counts = count_nuclei(objects["nucleus_id"], objects["exclusion"], signals, dual=dual)
    return tuple(FoundNucleus(n.nucleus_id, n.her2, n.cep17, n.exclusion) for n in counts)


def _from_table(folder: Path) -> tuple[FoundNucleus, ...]:
    nuclei = read_table(folder / "fish_nuclei.parquet", FISH_NUCLEI).to_pydict()
    names = ("nucleus_id", "her2_signals", "cep17_signals", "exclusion")
    return tuple(FoundNucleus(*row) for row in zip(*(nuclei[name] for name in names), strict=True))


def signals_of(folder: Path) -> dict[str, FoundSignals]:
    """Counted signals (copies above 0) that a run has written, by role."""
    table = read_table(folder / "fish_signals.parquet", FISH_SIGNALS).to_pydict()
    role, copies = np.array(table["channel"], str), np.array(table["copies"], np.int32)
    found = {}
    for name in ("her2", "cep17"):
        own = (role == name) & (copies > 0)
        found[name] = FoundSignals(
            np.array(table["y_px0"], np.float64)[own],
            np.array(table["x_px0"], np.float64)[own],
            np.array(table["nucleus_id"], np.int32)[own],
            copies[own],
            np.array(table["is_cluster"], np.bool_)[own],
        )
    return found
