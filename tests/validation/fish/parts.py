"""The parts of the FISH validation, which ``python -m tests.validation fish`` runs."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from types import MappingProxyType

from tests.validation.fish.cases import cases, some
from tests.validation.fish.measures import phantom_rows
from tests.validation.fish.phantom_run import read_cases
from tests.validation.store import all_told, keep

Asked = argparse.Namespace
OWN = "her2path"


def _phantoms(asked: Asked) -> None:
    chosen = some(list(cases(development=asked.dev)), 10 if asked.quick else None)
    found = read_cases(chosen, processes=asked.processes)
    keep(asked.out, "phantoms", OWN, all_told(phantom_rows(found)), {"cases": [c.as_json() for c in found]})


PARTS: Mapping[str, Callable[[Asked], None]] = MappingProxyType({"phantoms": _phantoms})
QUICK = ("phantoms",)
ON_DEMAND: frozenset[str] = frozenset()
