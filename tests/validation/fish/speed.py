"""Seconds of finding nuclei and signals, on one field of 2048 x 2048 pixels and on a stack of seven."""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from her2path.imaging.phantoms.fish import FishPhantom, FishPhantomSpec, render_fish
from tests.support.fish_fields import NAMES, chain_steps
from tests.validation.fish.cases import first_seed
from tests.validation.measures import Measure

FIRST = 5000
SIDE_PX = 2048
FIELD = FishPhantomSpec(
    width_px=SIDE_PX,
    height_px=SIDE_PX,
    nuclei_per_mm2=1400,
    her2_mean=7.0,
    cep17_mean=3.5,
    her2_fano=0.5,
    cep17_fano=0.3,
)
"""About 150 nuclei and 1 500 signals."""
STACK = replace(FIELD, z_planes=7)
TURNS = 5
STEPS = ("fish_nuclei", "fish_signals")
LIMITS = {"field": 2.0, "z stack of 7": 6.0}


def rows(*, development: bool) -> tuple[list[Measure], dict[str, Any]]:
    """Medians over some turns after one to warm up; reading the uncompressed file is part of it."""
    made: list[Measure] = []
    costs: dict[str, Any] = {}
    for name, spec in (("field", FIELD), ("z stack of 7", STACK)):
        seed = first_seed(development=development) + FIRST
        phantom = render_fish(replace(spec, seed=seed))
        load = os.getloadavg()[0]
        with tempfile.TemporaryDirectory() as folder:
            seconds = timed(phantom, Path(folder))
        middle = {step: float(np.median([turn[step] for turn in seconds])) for step in seconds[0]}
        truth = phantom.truth
        on = f"{SIDE_PX} x {SIDE_PX} px x 3, {len(truth.nuclei)} nuclei, {len(truth.signals)} signals"
        detail = f"{on}; load before {load:.1f}; " + ", ".join(f"{s} {v:.2f} s" for s, v in middle.items())
        asked = sum(middle[step] for step in STEPS)
        made.append(
            Measure(
                f"seconds, nuclei and signals, {name}",
                on,
                asked,
                "s",
                threshold=LIMITS[name],
                direction="at most",
                detail=detail,
            )
        )
        made.append(Measure(f"seconds, intake to gallery, {name}", on, sum(middle.values()), "s"))
        costs[name] = middle
    return made, {"steps": costs}


def write_plain(file: Path, phantom: FishPhantom) -> Path:
    """Write an uncompressed OME-TIFF, as most cameras do."""
    metadata = {
        "axes": "CYX" if phantom.planes.ndim == 3 else "CZYX",
        "Channel": {"Name": list(NAMES)},
        "PhysicalSizeX": phantom.truth.mpp,
        "PhysicalSizeY": phantom.truth.mpp,
    }
    tifffile.imwrite(file, phantom.planes, ome=True, metadata=metadata, photometric="minisblack")
    return file


def timed(phantom: FishPhantom, folder: Path, turns: int = TURNS) -> list[dict[str, float]]:
    """Seconds of each step, in some turns after one to warm up."""
    file = write_plain(folder / "field.ome.tif", phantom)
    found = []
    for turn in range(turns + 1):
        seconds = {}
        for name, step in chain_steps([file], folder / str(turn)):
            started = time.perf_counter()
            step()
            seconds[name] = time.perf_counter() - started
        found.append(seconds)
    return found[1:]
