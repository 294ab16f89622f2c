"""The tables of ``docs/validation/fish.md``."""

from __future__ import annotations

from collections import Counter
from statistics import median
from typing import Any

from tests.validation.page import EMPTY, Results, measures, number, runs, table
from tests.validation.store import ROOT

PAGE = ROOT / "docs" / "validation" / "fish.md"
OWN = "her2path"
PARTS = ("nuclei", "phantoms", "empty", "speed")


def tables(results: Results) -> dict[str, str]:
    """All tables by the name of their marks."""
    return {
        "measures": measures(results, [OWN], PARTS),
        "comparators": comparators(results),
        "profiles": profiles(results),
        "groups": groups(results),
        "semisynthetic": measures(results, [OWN], ("semisynthetic",)),
        "fields": fields(results),
        "choice": choice(results),
        "runs": runs(results),
    }


def comparators(results: Results) -> str:
    """Signal F1 and seconds of every method on the same fields."""
    part = results.get("comparators", {})
    rows: dict[str, dict[str, str]] = {}
    for method, found in part.items():
        for row in found["rows"]:
            interval = (
                "" if row["low"] is None else f" ({number(row['low'], '')} to {number(row['high'], '')})"
            )
            rows.setdefault(row["name"], {})[method] = f"{number(row['value'], row['unit'])}{interval}"
    body = [[name, *(cells.get(method, "") for method in part)] for name, cells in rows.items()]
    return table(["on the same fields", *part], body) if rows else EMPTY


def _cases(results: Results, part: str = "phantoms") -> list[Any]:
    found = results.get(part, {}).get(OWN, {}).get("cases", ())
    if not found:
        return []
    from tests.validation.fish.measures import CaseAgreement  # noqa: PLC0415  (imaging, for these tables only)

    return [CaseAgreement.of_json(case) for case in found]


def profiles(results: Results) -> str:
    """Nuclei, signals, counts and ratio for each profile."""
    cases = _cases(results)
    if not cases:
        return EMPTY
    from tests.validation.fish import measures as m  # noqa: PLC0415

    rows = []
    for profile in (*dict.fromkeys(c.profile for c in cases), None):
        own = [c for c in cases if profile in (None, c.profile)]
        errors = [abs(error) for error in m.ratio_errors(own)]
        rows.append(
            [
                profile or "all",
                str(len(own)),
                f"{m.nuclei_f1(own):.3f}",
                f"{m.signal_f1(own):.3f}",
                *(_share(m.met(role, most)(own)) for role in ("her2", "cep17") for most in (0, 1)),
                f"{median(errors):.1f}" if errors else "",
                f"{sum(m.group_of(c.found) is m.group_of(c.true) for c in own)} of {len(own)}",
            ]
        )
    head = [
        "profile",
        "cases",
        "nuclei F1",
        "signal F1",
        "HER2 exact %",
        "within one %",
        "CEP17 exact %",
        "within one %",
    ]
    return table([*head, "ratio off by, median %", "group equal"], rows)


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def groups(results: Results) -> str:
    """True and read ISH groups, plain and borderline cases, with every case that differs."""
    cases = _cases(results)
    if not cases:
        return EMPTY
    from tests.validation.fish import measures as m  # noqa: PLC0415

    rows = []
    for borderline in (False, True):
        own = [c for c in cases if m.is_borderline(c.true) is borderline]
        pairs = Counter((m.word(m.group_of(c.true)), m.word(m.group_of(c.found))) for c in own)
        for true in sorted({pair[0] for pair in pairs}):
            read = ", ".join(
                f"{found}: {n}" for (wanted, found), n in sorted(pairs.items()) if wanted == true
            )
            rows.append(["borderline" if borderline else "plain", true, read])
    text = table(["cases", "true group", "read as"], rows)
    different = [c for c in cases if m.group_of(c.true) is not m.group_of(c.found)]
    if not different:
        return text
    body = [[c.name, *_totals(c.true), *_totals(c.found)] for c in different]
    head = [
        "case that differs",
        "nuclei",
        "true ratio",
        "true mean HER2",
        "nuclei",
        "ratio read",
        "mean HER2 read",
    ]
    return f"{text}\n\n{table(head, body)}"


def _totals(summary: Any) -> list[str]:
    ratio, mean = summary.her2_cep17_ratio, summary.her2_mean
    return [str(summary.nuclei), *("none" if v is None else f"{v:.2f}" for v in (ratio, mean))]


def choice(results: Results) -> str:
    """What becomes of the nuclei that a reader would score, and what is scored that he would not."""
    fields = [f for c in _cases(results) for f in c.fields]
    if not fields:
        return EMPTY
    counted = sum(len(f.counted) for f in fields)
    left_out, wrongly = Counter[str](), Counter[str]()
    for field in fields:
        left_out.update(field.left_out)
        wrongly.update(field.kept_wrongly)
    rows = [["a reader would score, scored", "", str(counted)]]
    rows += [["a reader would score, not scored", word, str(n)] for word, n in left_out.most_common()]
    rows += [["scored, a reader would not", word, str(n)] for word, n in wrongly.most_common()]
    return table(["nuclei", "why", "number"], rows)


def fields(results: Results) -> str:
    """Every real field."""
    found = results.get("nuclei", {}).get(OWN, {}).get("fields", ())
    rows = []
    for field in found:
        hits = field["hits"]
        f1 = 2 * hits["hits"] / max(hits["found"] + hits["true"], 1)
        counts = [str(hits[name]) for name in ("true", "found", "hits")]
        rows.append([field["name"][:12], field["half"], *counts, f"{f1:.2f}"])
    return table(["field", "half", "labelled", "found", "at half the union", "F1"], rows) if rows else EMPTY
