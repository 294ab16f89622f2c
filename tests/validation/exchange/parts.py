"""The parts of the validation of reports and exchange, which ``python -m tests.validation exchange`` runs."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

from tests.validation.store import all_told, keep

Asked = argparse.Namespace
OWN = "her2path"
NAMES = ("pages", "pdf", "geojson", "edits", "fhir", "dicom", "research_tables")
"""Modules of this package, loaded one by one: each needs another library."""


def _run(asked: Asked, name: str) -> None:
    part = importlib.import_module(f"tests.validation.exchange.{name}")
    keep(asked.out, name, OWN, all_told(part.measure()))


PARTS: Mapping[str, Callable[[Asked], None]] = MappingProxyType(
    {name: partial(_run, name=name) for name in NAMES}
)
QUICK = tuple(PARTS)
ON_DEMAND: frozenset[str] = frozenset()
