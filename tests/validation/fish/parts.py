"""The parts of the FISH validation, which ``python -m tests.validation fish`` runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

from tests.validation.fish import empty, real_nuclei, semisynthetic, side, speed
from tests.validation.fish.cases import plans, some
from tests.validation.fish.measures import phantom_rows
from tests.validation.fish.phantom_run import read_cases
from tests.validation.side_by_side import side_by_side
from tests.validation.store import all_told, keep

Asked = argparse.Namespace
OWN = "her2path"


def _phantoms(asked: Asked) -> None:
    chosen = some(plans(development=asked.dev), 12 if asked.quick else None)
    found = read_cases(chosen, processes=asked.processes, fast=asked.fast)
    keep(asked.out, "phantoms", OWN, all_told(phantom_rows(found)), {"cases": [c.as_json() for c in found]})


def _nuclei(asked: Asked) -> None:
    found = [real_nuclei.read_field(field) for field in _real_fields(asked)]
    if found:
        rows = all_told(real_nuclei.rows(found))
        keep(asked.out, "nuclei", OWN, rows, {"fields": [f.as_json() for f in found]})


def _semisynthetic(asked: Asked) -> None:
    jobs = [(number, field, asked.dev) for number, field in enumerate(_real_fields(asked))]
    if not jobs:
        return
    work = partial(semisynthetic.read_field, fast=asked.fast)
    found = list(side_by_side(work, jobs, processes=asked.processes, what="real fields"))
    rows = all_told(semisynthetic.rows(found))
    keep(asked.out, "semisynthetic", OWN, rows, {"cases": [c.as_json() for c in found]})


def _real_fields(asked: Asked) -> list[real_nuclei.RealField]:
    found = [f for f in real_nuclei.fields() if not asked.dev or f.half != real_nuclei.HELD_OUT]
    if not found:
        sys.stdout.write("dapi_nuclei: not here (HER2PATH_REAL_DATA), so not read\n")
    return found


def _empty(asked: Asked) -> None:
    chosen = empty.specs(development=asked.dev, count=4 if asked.quick else None)
    found = list(
        side_by_side(
            partial(empty.read_empty, fast=asked.fast),
            chosen,
            processes=asked.processes,
            what="fields without probe",
        )
    )
    keep(asked.out, "empty", OWN, all_told(empty.rows(found)), {"fields": [f.as_json() for f in found]})


def _speed(asked: Asked) -> None:
    rows, extra = speed.rows(development=asked.dev)
    keep(asked.out, "speed", OWN, all_told(rows), extra)


def _comparators(asked: Asked) -> None:
    chosen = some(plans(development=asked.dev), 6 if asked.quick else 20)
    others = side.finders()
    found = side.read_fields([(c.name, c.profile, c.spec) for c in chosen], others, fast=asked.fast)
    seconds = side.seconds(others, development=asked.dev)
    for method in others:
        method.close()
    for name in (side.OWN, *(method.name for method in others)):
        own = [field for field in found if field.method == name]
        sys.stdout.write(f"  {name}\n")
        rows = all_told([*side.rows(own), seconds[name]])
        keep(asked.out, "comparators", name, rows, {"fields": [f.as_json() for f in own]})


PARTS: Mapping[str, Callable[[Asked], None]] = MappingProxyType(
    {
        "nuclei": _nuclei,
        "phantoms": _phantoms,
        "empty": _empty,
        "semisynthetic": _semisynthetic,
        "comparators": _comparators,
        "speed": _speed,
    }
)
QUICK = ("nuclei", "phantoms", "empty")
ON_DEMAND: frozenset[str] = frozenset()
