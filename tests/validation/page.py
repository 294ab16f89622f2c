"""Pages of results: tables written between their marks from the kept results."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

_PART = re.compile(r"(<!-- generated: (.+?) -->\n)(.*?)(\n<!-- end -->)", re.DOTALL)
EMPTY = "No results yet."

Results = Mapping[str, Mapping[str, Any]]
Row = dict[str, Any]


def write(page: Path, filled: Mapping[str, str]) -> None:
    """Fill the marked places of a page; every mark must have its table."""
    text = page.read_text(encoding="utf-8")
    page.write_text(_PART.sub(lambda m: f"{m[1]}{filled[m[2]]}{m[4]}", text), encoding="utf-8")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'|'.join('---' for _ in head)}|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def _rows_of(
    results: Results, methods: Sequence[str], parts: Sequence[str]
) -> list[tuple[Row, dict[str, Row]]]:
    """Rows by name and material in the order of the parts, each with the methods that have it."""
    found: dict[tuple[str, str, str], dict[str, Row]] = {}
    for part in parts:
        for method in methods:
            for row in results.get(part, {}).get(method, {}).get("rows", ()):
                # The mosaic's tissue is measured by each method; its rows are one row all the same.
                found.setdefault((part, row["name"], ""), {})[method] = row
    return [(next(iter(by_method.values())), by_method) for by_method in found.values()]


def measures(results: Results, methods: Sequence[str], parts: Sequence[str]) -> str:
    """The table of the measures, methods side by side."""
    rows = [
        [row["name"], row["on"].split(",")[0], asked(row), *(cell(by.get(name)) for name in methods)]
        for row, by in _rows_of(results, methods, parts)
    ]
    return table(["measure", "on", "asked", *methods], rows) if rows else EMPTY


def asked(row: Row) -> str:
    if row["threshold"] is None:
        return ""
    return f"{row['direction']} {number(row['threshold'], row['unit'])}"


def cell(row: Row | None) -> str:
    if row is None:
        return "not run"
    verdict = {True: "", False: " **missed**", None: ""}[row["passed"]]
    interval = "" if row["low"] is None else f" ({number(row['low'], '')} to {number(row['high'], '')})"
    return f"{number(row['value'], row['unit'])}{interval}{verdict}"


def number(value: float, unit: str) -> str:
    digits = 0 if abs(value) >= 100 or value == round(value) else 1 if abs(value) >= 10 else 3
    digits = 1 if unit in ("%", "points") else digits
    return f"{value:.{digits}f} {unit}".strip()


def runs(results: Results) -> str:
    """Which commit each result comes from, when, and beside which load."""
    rows = [
        [part, method, found["commit"], found["when"], found["machine"], str(found["load"])]
        for part, methods in results.items()
        for method, found in methods.items()
    ]
    return table(["part", "method", "commit", "when", "machine", "load after"], rows) if rows else EMPTY
