"""Ratio and copies of two who counted the same cases: factor, lines, and sides of the cut-points."""

from __future__ import annotations

from collections.abc import Sequence

from her2path.domain.reads import SOFTWARE
from her2path.io.qa_documents import AgreementResult, EstimateEntry, MethodEntry
from her2path.reports.html.comparison_plots import (
    FittedLine,
    Level,
    MeasuredPair,
    difference_plot,
    method_scatter,
    points_note,
)
from her2path.reports.numbers import count_text, counted_text
from her2path.reports.qa_blocks import Block, Chart, Charts, Fold, Head, Heading, Rows, Section, Words, table
from her2path.reports.qa_statistics import (
    estimate_words,
    meanings,
    statistic_heads,
    statistic_rows,
    value_words,
)
from her2path.reports.qa_words import (
    QUANTITY_WORDS,
    capitalised,
    left_out_words,
    pair_words,
    sentence,
    who,
)

_LEVELS = (("bias", "mean factor"), ("lower_limit", "lower limit"), ("upper_limit", "upper limit"))
_LINES = (("deming", "Deming", ""), ("passing_bablok", "Passing-Bablok", "6 3"))
MOST_PLOTTED = 24
"""Comparisons that are drawn; of more the rest stands in the table."""


def comparison_section(result: AgreementResult) -> Section:
    """Show how far two agree on what they measured."""
    title = "HER2/CEP17 ratio and copies"
    methods = [m for m in result.methods if m.cases]
    if not methods:
        text = (
            "No case has ISH counts of two of them, so ratio and copies are not compared. Counts come with "
            "the columns `her2_signals`, `cep17_signals` and `nuclei` of the reads."
        )
        return Section("counts", title, (Words(text, "missing"),))
    blocks: list[Block] = [
        Words(
            "Factors rest on logarithms: 1 means no difference, and twice as much lies as far from it as "
            "half as much. The fitted lines are in plain numbers."
        )
    ]
    drawn = [m for m in methods if m.points is not None and m.points.case_ids][:MOST_PLOTTED]
    for quantity in dict.fromkeys(m.quantity for m in methods):
        part = [m for m in methods if m.quantity == quantity]
        blocks.append(Heading(capitalised(QUANTITY_WORDS[quantity])))
        blocks.append(_overview(quantity, part))
        ours = [m for m in part if SOFTWARE in (m.first, m.second) or m in drawn]
        for number, method in enumerate(ours):
            plots = _plots(method) if method in drawn else []
            left_out = left_out_words(method)
            said = [Words(left_out, "quiet")] if left_out else []
            inner = (*plots, *said, _statistics(method), *_cuts(method))
            summary = f"{sentence(pair_words(method))}: {counted_text(method.cases)}"
            blocks.append(Fold(summary, inner, open=number == 0))
    if any(m.cuts for m in methods):
        blocks.append(
            Words(
                "At a cut-point the positive percent agreement is the share of the second's cases at or "
                "above it that the first has there too, the negative one likewise below it. It is neither "
                "sensitivity nor specificity."
            )
        )
    blocks.append(meanings(name for m in methods for name in m.estimates))
    return Section("counts", title, tuple(blocks))


def _overview(quantity: str, methods: Sequence[MethodEntry]) -> Rows:
    heads = (
        Head("Pair"),
        Head("Cases", numeric=True),
        Head("Mean factor (first ÷ second)"),
        Head("Limits of agreement", numeric=True),
        Head("Intraclass correlation"),
        Head("On different sides of a cut", numeric=True),
    )
    rows = [
        (
            sentence(pair_words(m)),
            count_text(m.cases),
            estimate_words("bias", m.estimates.get("bias")),
            _limits(m),
            estimate_words("icc", m.estimates.get("icc")),
            "; ".join(f"{cut.cut:.1f}: {count_text(cut.table[0][1] + cut.table[1][0])}" for cut in m.cuts),
        )
        for m in methods
    ]
    words = capitalised(QUANTITY_WORDS[quantity])
    return table(f"{words}: all comparisons", heads, rows, csv="comparisons")


def _limits(method: MethodEntry) -> str:
    low, high = method.estimates.get("lower_limit"), method.estimates.get("upper_limit")
    if low is None or high is None or low.value is None or high.value is None:
        return "–"
    return f"{value_words('lower_limit', low.value)} to {value_words('upper_limit', high.value)}"


def _plots(method: MethodEntry) -> list[Block]:
    points = method.points
    if points is None or not points.case_ids:
        return []
    pairs = [MeasuredPair(*row) for row in zip(points.case_ids, points.first, points.second, strict=True)]
    positive = [pair for pair in pairs if pair.first > 0 and pair.second > 0]
    names = who(method.first), who(method.second, other=method.first)
    if method.kind == "intra_reader":
        names = f"session {method.first_session}", f"session {method.second_session}"
    quantity = QUANTITY_WORDS[method.quantity]
    note = points_note(len(pairs))
    if points.of > len(pairs):
        note += (
            f" {count_text(len(pairs))} of {count_text(points.of)} cases are drawn: those farthest apart, "
            "and others evenly chosen."
        )
    charts: list[Chart] = []
    levels = [
        Level(e.value, e.low, e.high, label)
        for name, label in _LEVELS
        if (e := method.estimates.get(name)) is not None and e.value is not None
    ]
    if positive:
        drawing = difference_plot(positive, levels, names=names, quantity=quantity)
        caption = (
            f"{note} Full line: mean factor; broken lines: limits of agreement; shaded: their intervals."
        )
        charts.append(Chart("Bland-Altman: factor against mean", drawing, caption))
    cuts = [cut.cut for cut in method.cuts]
    drawing = method_scatter(pairs, _lines(method), cuts=cuts, names=names, quantity=quantity)
    caption = f"{note} On the dotted line both measure the same."
    charts.append(Chart("One against the other", drawing, caption))
    return [Charts(tuple(charts))]


def _lines(method: MethodEntry) -> list[FittedLine]:
    found: list[FittedLine] = []
    for name, title, dash in _LINES:
        slope = _value(method.estimates.get(f"{name}_slope"))
        intercept = _value(method.estimates.get(f"{name}_intercept"))
        if slope is not None and intercept is not None:
            found.append(FittedLine(slope, intercept, f"{title}, slope {slope:.3f}", dash))
    return found


def _value(entry: EstimateEntry | None) -> float | None:
    return None if entry is None else entry.value


def _statistics(method: MethodEntry) -> Rows:
    caption = f"{capitalised(QUANTITY_WORDS[method.quantity])}: {pair_words(method)}"
    return table(
        caption, statistic_heads(method.estimates), statistic_rows(method.estimates), csv="comparisons"
    )


def _cuts(method: MethodEntry) -> list[Block]:
    if not method.cuts:
        return []
    heads = (
        Head("Cut-point"),
        Head("Both at or above", numeric=True),
        Head("Only the first", numeric=True),
        Head("Only the second", numeric=True),
        Head("Both below", numeric=True),
        *statistic_heads(method.cuts[0].estimates),
    )
    rows = [
        (
            f"{cut.cut:.1f}",
            *(count_text(n) for row in cut.table for n in row),
            *cells,
        )
        for cut in method.cuts
        for cells in statistic_rows(cut.estimates)
    ]
    caption = f"Sides of the cut-points of the {QUANTITY_WORDS[method.quantity]}: {pair_words(method)}"
    return [table(caption, heads, rows, csv="cuts")]
