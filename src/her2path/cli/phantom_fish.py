"""FISH phantoms to files: the fields of one specimen and the truth of their sum."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from her2path.domain.ish import IshGroup, Probe, SignalSummary
from her2path.errors import ConfigError
from her2path.imaging.phantoms.fish import (
    FishPhantom,
    FishPhantomSpec,
    capture_rgb,
    group_of,
    render_fish,
    spec_for_group,
)
from her2path.imaging.phantoms.fish_profiles import PROFILES, spec_for_profile
from her2path.imaging.phantoms.fish_random import random_fish_spec
from her2path.imaging.phantoms.fish_truth import FishTruth, TrueNucleus, TrueSignal, TrueSpeck
from her2path.io import phantom_fish_files as files

_BYTE = 8
"""Bits of a camera whose files hold a byte a pixel."""
_STEM = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class FishRequest:
    """What to write and where."""

    out: Path
    name: str
    """Stem of the files; several fields get ``_1``, ``_2`` ... behind it."""
    layout: str
    """ome, split or rgb."""
    fields: int


@dataclass(frozen=True, slots=True)
class FieldTruth:
    """Truth of one field in short."""

    image: str
    """Its files, joined by ``;`` as in the case sheet."""
    nuclei: int
    totals: SignalSummary
    """Resolvable signals of the evaluable tumour nuclei."""


@dataclass(frozen=True, slots=True)
class FishTruthDoc:
    """``<name>_truth.json``: the truth of a specimen's fields together."""

    spec: FishPhantomSpec
    """Of the first field; the seed of the others counts up."""
    merge_um: float
    fields: tuple[FieldTruth, ...]
    totals: SignalSummary
    any_kind_totals: SignalSummary
    """Stroma and lymphocytes counted as well: what comes out where no tumour region is drawn."""
    section_totals: SignalSummary
    """Copies in the section of the same nuclei: more than can be resolved."""
    group: IshGroup | None
    """ISH group of `totals`; null where there is none (single probe)."""


def base_spec(seed: int, size: tuple[int, int], mpp: float, z_planes: int, probe: Probe) -> FishPhantomSpec:
    """Check what was asked for; `size` is (width, height) in pixels."""
    width, height = size
    try:
        return FishPhantomSpec(
            seed=seed, width_px=width, height_px=height, mpp=mpp, z_planes=z_planes, probe=probe
        )
    except ValueError as error:
        raise ConfigError((str(error),)) from error


def with_profiles(spec: FishPhantomSpec, names: Sequence[str], *, laboratory: bool) -> FishPhantomSpec:
    """Give `spec` what makes its profiles; with `laboratory` everything but its size is drawn at random.

    A laboratory drawn at random has a pixel size and focal planes of its own; the field keeps its width and
    height in micrometres.

    Raises
    ------
    ConfigError
        There is no such profile.
    """
    if unknown := [name for name in names if name not in PROFILES]:
        known = ", ".join(PROFILES)
        raise ConfigError(tuple(f"no FISH profile {name!r}; there are {known}" for name in unknown))
    if laboratory:
        drawn = random_fish_spec(spec.seed)
        width, height = (max(32, round(px * spec.mpp / drawn.mpp)) for px in (spec.width_px, spec.height_px))
        spec = replace(drawn, width_px=width, height_px=height, probe=spec.probe)
    for name in names:
        spec = spec_for_profile(name, spec)
    return spec


def choose_spec(
    base: FishPhantomSpec,
    *,
    group: int | None = None,
    her2: float | None = None,
    cep17: float | None = None,
    clusters: float | None = None,
) -> FishPhantomSpec:
    """Give `base` the copy numbers of a group, or the means that were asked for.

    Raises
    ------
    ConfigError
        A group and means together, or a number out of its range.
    """
    if group is not None:
        if her2 is not None or cep17 is not None:
            raise ConfigError(("give either --group or --her2 and --cep17, not both",))
        base = spec_for_group(IshGroup(str(group)), base)
    try:
        return replace(
            base,
            her2_mean=base.her2_mean if her2 is None else her2,
            cep17_mean=base.cep17_mean if cep17 is None else cep17,
            cluster_fraction=base.cluster_fraction if clusters is None else clusters,
        )
    except ValueError as error:
        raise ConfigError((str(error),)) from error


def write_fish(request: FishRequest, spec: FishPhantomSpec) -> tuple[Path, ...]:
    """Render and write all fields of a specimen and their truth; return the images' files.

    Beside each image stand ``_labels.tif``, ``_nuclei.tsv``, ``_signals.tsv`` and ``_specks.tsv``; the
    specimen has ``<name>_truth.json``.

    Raises
    ------
    ConfigError
        The name cannot be the stem of a file.
    """
    if not _STEM.fullmatch(request.name):
        raise ConfigError((f"name {request.name!r}: use letters, digits, '-' and '_' only",))
    written: list[Path] = []
    parts: list[FieldTruth] = []
    truths: list[FishTruth] = []
    for index in range(request.fields):
        stem = request.name if request.fields == 1 else f"{request.name}_{index + 1}"
        field = replace(spec, seed=spec.seed + index)
        phantom = render_fish(field)
        images = _write_image(request, stem, phantom, field)
        _write_truth(request.out, stem, phantom)
        written += images
        truths.append(phantom.truth)
        parts.append(
            FieldTruth(";".join(p.name for p in images), len(phantom.truth.nuclei), phantom.truth.summary)
        )
    files.write_record(request.out / f"{request.name}_truth.json", _document(spec, parts, truths))
    return tuple(written)


def _document(spec: FishPhantomSpec, parts: list[FieldTruth], truths: list[FishTruth]) -> FishTruthDoc:
    none = SignalSummary(0, 0, None if spec.probe is Probe.SINGLE else 0)
    totals = sum((truth.summary for truth in truths), start=none)
    return FishTruthDoc(
        spec=spec,
        merge_um=spec.signal_diameter_um,
        fields=tuple(parts),
        totals=totals,
        any_kind_totals=sum((truth.any_kind_summary for truth in truths), start=none),
        section_totals=sum((truth.section_summary for truth in truths), start=none),
        group=group_of(totals),
    )


def _write_image(
    request: FishRequest, stem: str, phantom: FishPhantom, spec: FishPhantomSpec
) -> tuple[Path, ...]:
    calibration = files.FieldCalibration(spec.mpp, spec.z_step_um, spec.seed)
    planes: npt.NDArray[np.uint16] | npt.NDArray[np.uint8] = phantom.planes
    if spec.bit_depth == _BYTE:
        planes = phantom.planes.astype(np.uint8)
    if request.layout == "split":
        return files.write_split(request.out, stem, planes, calibration)
    if request.layout == "rgb":
        path = request.out / f"{stem}_rgb.tif"
        files.write_rgb(path, capture_rgb(phantom.planes), mpp=spec.mpp)
        return (path,)
    path = request.out / f"{stem}.ome.tif"
    files.write_ome(path, planes, calibration)
    return (path,)


def _write_truth(out: Path, stem: str, phantom: FishPhantom) -> None:
    truth = phantom.truth
    files.write_labels(out / f"{stem}_labels.tif", phantom.labels)
    files.write_records(out / f"{stem}_nuclei.tsv", TrueNucleus, truth.nuclei)
    files.write_records(out / f"{stem}_signals.tsv", TrueSignal, truth.signals)
    files.write_records(out / f"{stem}_specks.tsv", TrueSpeck, truth.specks)
