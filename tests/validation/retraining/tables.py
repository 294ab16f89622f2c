"""The tables of ``docs/validation/retraining.md``."""

from __future__ import annotations

from tests.validation.page import EMPTY, Results, number, runs, table
from tests.validation.retraining.study import ARMS, BUDGETS, SETS, SHIPPED
from tests.validation.store import ROOT

PAGE = ROOT / "docs" / "validation" / "retraining.md"


def tables(results: Results) -> dict[str, str]:
    """All tables by the name of their marks."""
    parts = {which: which.replace(" ", "_") for which in SETS}
    filled = {part: figures(results, part) for part in parts.values()}
    # All models are measured on one picture after the other, so that one row stands for all of them.
    one = {part: {SHIPPED: results[part][SHIPPED]} for part in parts.values() if part in results}
    return {**filled, "runs": runs(one)}


def figures(results: Results, part: str) -> str:
    """Every model of the study: its figures, and what it gained over the shipped one."""
    found = results.get(part, {})
    if SHIPPED not in found:
        return EMPTY
    plain = [row["name"] for row in found[SHIPPED]["rows"]]
    names = [SHIPPED, *(f"{arm}, {budget} cells" for budget in BUDGETS for arm in ARMS)]
    body = []
    for name in (name for name in names if name in found):
        rows = {row["name"]: row for row in found[name]["rows"]}
        cells = []
        for title in plain:
            gain = rows.get(f"{title}: gain over {SHIPPED}")
            cells.append(_with_interval(rows[title]) + ("" if gain is None else f"; {_gain(gain)}"))
        body.append([name, *cells])
    return table(["model", *plain], body)


def _with_interval(row: dict[str, object]) -> str:
    value, low, high = (row[name] for name in ("value", "low", "high"))
    between = "" if low is None else f" ({number(float(low), '')} to {number(float(high), '')})"
    return f"{number(float(value), '')}{between}"


def _gain(row: dict[str, object]) -> str:
    value, low, high = (row[name] for name in ("value", "low", "high"))
    between = "" if low is None else f" ({float(low):+.3f} to {float(high):+.3f})"
    return f"{float(value):+.3f}{between}"
