"""The tables of ``docs/validation/ihc.md``, written between their marks from the kept results."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.validation.store import ROOT, kept

PAGE = ROOT / "docs" / "validation" / "ihc.md"
_PART = re.compile(r"(<!-- generated: (.+?) -->\n)(.*?)(\n<!-- end -->)", re.DOTALL)
COMPARATORS = ("scikit-image", "QuPath's method")
PARTS = ("phantoms", "rerendering", "nulls", "invariance", "cores", "speed", "large", "large_full")

Results = Mapping[str, Mapping[str, Any]]
Row = dict[str, Any]


def write(folder: Path) -> None:
    """Fill the page; a part without results says so."""
    filled = tables(kept(folder))
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(_PART.sub(lambda m: f"{m[1]}{filled[m[2]]}{m[4]}", text), encoding="utf-8")


def tables(results: Results) -> dict[str, str]:
    """All tables by the name of their marks."""
    return {
        "measures": measures(results),
        "comparators": comparators(results),
        "kinds": by_kind(results),
        "scores": confusion(results),
        "cores": cores(results),
        "costs": costs(results),
        "runs": runs(results),
    }


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'|'.join('---' for _ in head)}|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def own_methods(results: Results) -> list[str]:
    """her2path's methods in the order of the columns: classical, then models."""
    names = {name for part in PARTS for name in results.get(part, {}) if name not in COMPARATORS}
    return sorted(names, key=lambda name: (name != "classical", name))


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


def measures(results: Results) -> str:
    """The table of the measures, her2path's methods side by side."""
    methods = own_methods(results)
    rows = [
        [row["name"], row["on"].split(",")[0], _asked(row), *(_cell(by.get(name)) for name in methods)]
        for row, by in _rows_of(results, methods, PARTS)
    ]
    return _table(["measure", "on", "asked", *methods], rows) if rows else "No results yet."


def _asked(row: Row) -> str:
    if row["threshold"] is None:
        return ""
    return f"{row['direction']} {_number(row['threshold'], row['unit'])}"


def _cell(row: Row | None) -> str:
    if row is None:
        return "not run"
    verdict = {True: "", False: " **missed**", None: ""}[row["passed"]]
    interval = "" if row["low"] is None else f" ({_number(row['low'], '')} to {_number(row['high'], '')})"
    return f"{_number(row['value'], row['unit'])}{interval}{verdict}"


def _number(value: float, unit: str) -> str:
    digits = 0 if abs(value) >= 100 or value == round(value) else 1 if abs(value) >= 10 else 3
    digits = 1 if unit in ("%", "points") else digits
    return f"{value:.{digits}f} {unit}".strip()


def comparators(results: Results) -> str:
    """What others would be picked, on the slides that they have read."""
    parts = results.get("phantoms", {})
    read = [name for name in COMPARATORS if name in parts]
    if not read:
        return "No results yet."
    slides = {slide["slide"] for slide in parts[read[0]]["slides"]}
    from tests.validation.agreement import SlideAgreement  # noqa: PLC0415  (imaging, for this table only)
    from tests.validation.measures import phantom_rows  # noqa: PLC0415

    columns = [*own_methods(results), *read]
    by_name: dict[str, dict[str, Row]] = {}
    for method in columns:
        own = [SlideAgreement(**slide) for slide in parts.get(method, {}).get("slides", ())]
        for row in phantom_rows([slide for slide in own if slide.slide in slides]):
            by_name.setdefault(row.name, {})[method] = row.as_json()
    body = [
        [name, *(_cell(found.get(m)) if m in found else "none" for m in columns)]
        for name, found in by_name.items()
    ]
    speed = [_speed_of(parts.get(method, {}).get("slides", ()), slides) for method in columns]
    body.append(["seconds per mm² of image, one process, whole program", *speed])
    stardist = results.get("architectures", {}).get("StarDist's architecture", {}).get("rows", ())
    text = _table([f"on {len(slides)} slides", *columns], body)
    for row in stardist:
        text += f"\n\n{row['name']}: {_number(row['value'], row['unit'])} ({row['on']}, 2 threads)."
    return text


def _speed_of(slides: Sequence[Row], chosen: set[str]) -> str:
    own = [slide for slide in slides if slide["slide"] in chosen]
    if not own:
        return "not run"
    return f"{sum(s['seconds'] for s in own) / sum(s['area_mm2'] for s in own):.1f}"


def by_kind(results: Results) -> str:
    """Detection, completeness, percentages and scores for each kind of slide."""
    rows = []
    for method in own_methods(results):
        slides = [
            s for s in results.get("phantoms", {}).get(method, {}).get("slides", ()) if s["group"] == "scored"
        ]
        kinds = [
            (key, value)
            for key in ("tissue", "style", "architecture", "mpp", "mix")
            for value in dict.fromkeys(s[key] for s in slides)
        ]
        for key, value in kinds:
            own = [s for s in slides if s[key] == value]
            hits = sum(s["true_positives"] for s in own)
            faults = sum(s["false_positives"] + s["false_negatives"] for s in own)
            complete = [
                s["completeness_mae"]["expressed"] for s in own if "expressed" in s["completeness_mae"]
            ]
            equal = sum(s["score"] == s["true_score"] for s in own)
            rows.append(
                [
                    f"{key} {value}",
                    method,
                    f"{2 * hits / max(2 * hits + faults, 1):.3f}",
                    f"{sum(complete) / max(len(complete), 1):.3f}",
                    f"{sum(map(_class_error, own)) / len(own):.1f}",
                    f"{equal} of {len(own)}",
                ]
            )
    head = ["slides", "method", "F1", "completeness error", "percentages, points", "score equal"]
    return _table(head, rows) if rows else "No results yet."


def _class_error(slide: Row) -> float:
    found, true = slide["percentages"]["found"], slide["percentages"]["expressed"]
    return sum(abs(found[name] - true[name]) for name in true) / len(true)


def confusion(results: Results) -> str:
    """True against read scores of all phantom slides, plain and borderline."""
    rows = []
    for method in own_methods(results):
        slides = results.get("phantoms", {}).get(method, {}).get("slides", ())
        for group in ("scored", "borderline", "cytoplasm"):
            pairs = Counter((s["true_score"], s["score"]) for s in slides if s["group"] == group)
            if not pairs:
                continue
            for true in sorted({pair[0] for pair in pairs}):
                read = ", ".join(
                    f"{score}: {n}" for (wanted, score), n in sorted(pairs.items()) if wanted == true
                )
                rows.append([method, group, true, read])
    return _table(["method", "slides", "true score", "read as"], rows) if rows else "No results yet."


def cores(results: Results) -> str:
    """The real cores, a line for each and method."""
    from tests.validation.real_cores import SEEN_BY_MODEL  # noqa: PLC0415  (imaging, for this table only)

    rows = []
    for method in own_methods(results):
        for core in results.get("cores", {}).get(method, {}).get("cores", ()):
            status = "" if core["label"] != "2+" else f", ISH {core['her2_status']}"
            rows.append(
                [
                    core["core"],
                    core["label"] + status,
                    "adapted to" if core["core"] in SEEN_BY_MODEL else "held out",
                    method,
                    core["score"],
                    f"{core['h_score']:.1f}",
                    f"{core['stained_pct']:.1f}",
                    f"{core['complete_intense_pct']:.1f}",
                    str(core["cells"]),
                ]
            )
    order = {row[0]: place for place, row in enumerate(rows)}
    head = [
        "core",
        "label of the case",
        "model",
        "method",
        "read",
        "H-score",
        "stained %",
        "complete intense %",
        "cells",
    ]
    return _table(head, sorted(rows, key=lambda row: order[row[0]])) if rows else "No results yet."


def costs(results: Results) -> str:
    """Seconds and peak memory of each step."""
    rows = []
    for part in ("speed", "large", "large_full"):
        for method, found in results.get(part, {}).items():
            on = found["rows"][0]["on"]
            for item in found["costs"]:
                rows.append([on, method, item["step"], f"{item['seconds']:.1f}", f"{item['megabytes']:.0f}"])
    return _table(["on", "method", "step", "seconds", "peak MB"], rows) if rows else "No results yet."


def runs(results: Results) -> str:
    """Which commit each result comes from, when, and beside which load."""
    rows = [
        [part, method, found["commit"], found["when"], found["machine"], str(found["load"])]
        for part, methods in results.items()
        for method, found in methods.items()
    ]
    return (
        _table(["part", "method", "commit", "when", "machine", "load after"], rows)
        if rows
        else "No results yet."
    )
