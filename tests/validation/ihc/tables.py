"""The tables of ``docs/validation/ihc.md``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tests.validation.page import EMPTY, Results, Row, cell, measures, number, runs, table
from tests.validation.store import ROOT

PAGE = ROOT / "docs" / "validation" / "ihc.md"
COMPARATORS = ("scikit-image", "QuPath's method")
PARTS = ("phantoms", "rerendering", "nulls", "invariance", "cores", "speed", "large", "large_full")


def tables(results: Results) -> dict[str, str]:
    """All tables by the name of their marks."""
    return {
        "measures": measures(results, own_methods(results), PARTS),
        "comparators": comparators(results),
        "kinds": by_kind(results),
        "scores": confusion(results),
        "cores": cores(results),
        "costs": costs(results),
        "runs": runs(results),
    }


def own_methods(results: Results) -> list[str]:
    """her2path's methods in the order of the columns: classical, then models."""
    names = {name for part in PARTS for name in results.get(part, {}) if name not in COMPARATORS}
    return sorted(names, key=lambda name: (name != "classical", name))


def comparators(results: Results) -> str:
    """What others would be picked, on the slides that they have read."""
    parts = results.get("phantoms", {})
    read = [name for name in COMPARATORS if name in parts]
    if not read:
        return EMPTY
    slides = {slide["slide"] for slide in parts[read[0]]["slides"]}
    from tests.validation.ihc.agreement import SlideAgreement  # noqa: PLC0415  (imaging, for this table only)
    from tests.validation.ihc.measures import phantom_rows  # noqa: PLC0415

    columns = [*own_methods(results), *read]
    by_name: dict[str, dict[str, Row]] = {}
    for method in columns:
        own = [SlideAgreement(**slide) for slide in parts.get(method, {}).get("slides", ())]
        for row in phantom_rows([slide for slide in own if slide.slide in slides]):
            by_name.setdefault(row.name, {})[method] = row.as_json()
    body = [
        [name, *(cell(found.get(m)) if m in found else "none" for m in columns)]
        for name, found in by_name.items()
    ]
    speed = [_speed_of(parts.get(method, {}).get("slides", ()), slides) for method in columns]
    body.append(["seconds per mm² of image, one process, whole program", *speed])
    stardist = results.get("architectures", {}).get("StarDist's architecture", {}).get("rows", ())
    text = table([f"on {len(slides)} slides", *columns], body)
    for row in stardist:
        text += f"\n\n{row['name']}: {number(row['value'], row['unit'])} ({row['on']}, 2 threads)."
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
    return table(head, rows) if rows else EMPTY


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
    return table(["method", "slides", "true score", "read as"], rows) if rows else EMPTY


def cores(results: Results) -> str:
    """The real cores, a line for each and method."""
    from tests.validation.ihc.real_cores import SEEN_BY_MODEL  # noqa: PLC0415  (imaging, for this table only)

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
    return table(head, sorted(rows, key=lambda row: order[row[0]])) if rows else EMPTY


def costs(results: Results) -> str:
    """Seconds and peak memory of each step."""
    rows = []
    for part in ("speed", "large", "large_full"):
        for method, found in results.get(part, {}).items():
            on = found["rows"][0]["on"]
            for item in found["costs"]:
                rows.append([on, method, item["step"], f"{item['seconds']:.1f}", f"{item['megabytes']:.0f}"])
    return table(["on", "method", "step", "seconds", "peak MB"], rows) if rows else EMPTY
