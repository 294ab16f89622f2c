"""The tables of ``docs/validation/exchange.md``."""

from __future__ import annotations

from tests.validation.exchange.parts import NAMES, OWN
from tests.validation.page import EMPTY, Results, asked, cell, runs, table
from tests.validation.store import ROOT

PAGE = ROOT / "docs" / "validation" / "exchange.md"


def tables(results: Results) -> dict[str, str]:
    """All tables by the name of their marks."""
    return {name: rows(results, name) for name in NAMES} | {"runs": runs(results)}


def rows(results: Results, part: str) -> str:
    """Every row of a part; a measure stands once for each data that it was taken on."""
    found = results.get(part, {}).get(OWN, {}).get("rows", ())
    body = [[row["name"], row["on"], asked(row), cell(row)] for row in found]
    return table(["measure", "on", "asked", OWN], body) if body else EMPTY
