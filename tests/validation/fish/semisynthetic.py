"""Known signals in the real nuclei of `dapi_nuclei`, read by all steps."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from her2path.domain.ish import IshGroup
from her2path.imaging.phantoms.fish import FishPhantomSpec, spec_for_group
from her2path.imaging.phantoms.fish_profiles import spec_for_profile
from her2path.imaging.phantoms.fish_semisynthetic import enlarge_nuclei, place_signals
from tests.validation.fish.agreement import compare
from tests.validation.fish.cases import first_seed
from tests.validation.fish.measures import (
    CaseAgreement,
    cluster_rows,
    count_rows,
    found_and_true,
    of_same_nuclei,
    ratio_rows,
    signal_row,
)
from tests.validation.fish.reading import read_phantom
from tests.validation.fish.real_nuclei import RealField
from tests.validation.measures import Measure

FIRST = 4000
DIAMETER_UM = 9.0
MPP = 0.16
PROFILES = ("plain", "clusters", "shifted", "dim", "bleeding", "uneven")
"""An ISH group with each of them in turn; the clusters bring copies of their own."""
LARGEST_PX = 1600
"""Larger fields are cut: some hold a thousand nuclei."""


def read_field(given: tuple[int, RealField, bool], *, fast: bool = False) -> list[CaseAgreement]:
    """Place the signals of one ISH group into one field and compare what is read."""
    number, field, development = given
    dapi, labels = enlarge_nuclei(field.dapi, field.labels, diameter_um=DIAMETER_UM, mpp=MPP)
    dapi, labels = dapi[:LARGEST_PX, :LARGEST_PX], labels[:LARGEST_PX, :LARGEST_PX]
    if not labels.any():
        return []
    group = tuple(IshGroup)[number % len(IshGroup)]
    seed = first_seed(development=development) + FIRST + number
    spec = spec_for_group(group, FishPhantomSpec(seed=seed, mpp=MPP))
    profile = PROFILES[number // len(IshGroup) % len(PROFILES)]
    spec = spec_for_profile(profile, spec)
    phantom = place_signals(np.ascontiguousarray(dapi), np.ascontiguousarray(labels), spec)
    with tempfile.TemporaryDirectory() as name:
        found = compare(phantom, read_phantom(phantom, Path(name), fast=fast), spec)
    return [CaseAgreement(f"{field.name[:12]} {profile}, group {group.value}", field.half, (found,))]


def rows(found: Sequence[CaseAgreement]) -> list[Measure]:
    """Rows of signals and counts; fields with fewer than 20 nuclei of both take no part in the ratio."""
    enough = [case for case in found if len(case.counted) >= 20]
    every = [
        signal_row(found),
        *count_rows(found),
        *cluster_rows(found),
        *ratio_rows(enough, found_and_true, asked=(None, None)),
        *ratio_rows(enough, of_same_nuclei, asked=(None, None)),
    ]
    on = f"signals placed in {len(found)} real fields"
    return [
        replace(row, name=f"semi-synthetic: {row.name}", on=on, threshold=None)
        for row in every
        if row is not None
    ]
