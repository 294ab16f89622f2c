"""Phantom cases through her2path, in two processes side by side."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from her2path.imaging.phantoms.fish import render_fish
from tests.validation.fish.agreement import FieldAgreement, compare
from tests.validation.fish.cases import CasePlan
from tests.validation.fish.measures import CaseAgreement
from tests.validation.fish.reading import read_phantom
from tests.validation.side_by_side import side_by_side


def read_case(plan: CasePlan, *, fast: bool = False) -> list[CaseAgreement]:
    """Render, read and compare the fields of one case."""
    case = plan.made()
    fields: list[FieldAgreement] = []
    for number, spec in enumerate(case.fields):
        phantom = render_fish(spec)
        with tempfile.TemporaryDirectory() as name:
            fields.append(compare(phantom, read_phantom(phantom, Path(name) / str(number), fast=fast), spec))
    return [CaseAgreement(case.name, case.profile, tuple(fields))]


def read_cases(plans: Sequence[CasePlan], *, processes: int, fast: bool = False) -> list[CaseAgreement]:
    """Read every case."""
    return list(side_by_side(partial(read_case, fast=fast), plans, processes=processes, what="phantom cases"))
