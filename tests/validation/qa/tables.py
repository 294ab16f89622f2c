"""The tables of ``docs/validation/qa.md``."""

from __future__ import annotations

from tests.validation.page import EMPTY, Results, measures, runs, table
from tests.validation.qa.coverage import CASES, SLIPS, STUDIES, Coverage
from tests.validation.qa.monitoring import curves_table, rates_table
from tests.validation.store import ROOT

PAGE = ROOT / "docs" / "validation" / "qa.md"
OWN = "her2path"


def tables(results: Results) -> dict[str, str]:
    """All tables by the name of their marks."""
    return {
        "summary": measures(results, [OWN], [f"agreement_{study}" for study in STUDIES]),
        **{study: conditions(results, study) for study in STUDIES},
        "other methods": other_methods(results),
        "comparison": measures(results, [OWN], ["comparison"]),
        "monitoring": measures(results, [OWN], ["monitoring"]),
        "monitoring rates": rates_table(results),
        "monitoring curves": curves_table(results),
        "runs": runs(results),
    }


def _coverages(results: Results, study: str) -> list[Coverage]:
    found = results.get(f"agreement_{study}", {}).get(OWN, {}).get("coverages", ())
    return [Coverage(**row) for row in found]


def conditions(results: Results, study: str) -> str:
    """Coverage of what her2path states in every condition, with the truth and the mean width."""
    own = [c for c in _coverages(results, study) if c.own]
    if not own:
        return EMPTY
    rows = []
    for statistic, method in dict.fromkeys((c.statistic, c.method) for c in own):
        chosen = {(c.cases, c.slips): c for c in own if (c.statistic, c.method) == (statistic, method)}
        cells = [_cell(chosen.get((n, slips))) for n in CASES for slips in SLIPS]
        rows.append([statistic, method, *cells])
    head = [f"{n} cases, {100 * slips:.0f} %" for n in CASES for slips in SLIPS]
    return table(["statistic", "interval", *head], rows)


def _cell(coverage: Coverage | None) -> str:
    if coverage is None or not coverage.simulations:
        return ""
    without = f", {coverage.undefined} without" if coverage.undefined else ""
    without += ", rare" if coverage.is_rare else ""
    width = coverage.width / coverage.simulations
    return f"{_percent(coverage)} (truth {coverage.truth:.3f}, width {width:.3f}{without})"


def _percent(coverage: Coverage) -> str:
    return f"{100 * coverage.covered / coverage.simulations:.1f}"


def other_methods(results: Results) -> str:
    """Lowest, mean and highest coverage of each method for each coefficient of a pair."""
    found = _coverages(results, "pair")
    coefficients = list(dict.fromkeys(c.statistic for c in found if not c.own))
    if not coefficients:
        return EMPTY
    methods = list(dict.fromkeys(c.method for c in found if c.statistic in coefficients))
    rows = []
    for statistic in coefficients:
        cells = []
        for method in methods:
            own = [c for c in found if (c.statistic, c.method) == (statistic, method)]
            shares = [100 * c.covered / c.simulations for c in own]
            mean = sum(shares) / len(shares)
            cells.append(f"{mean:.1f} ({min(shares):.1f} to {max(shares):.1f})")
        rows.append([statistic, *cells])
    return table(["coefficient", *methods], rows)
