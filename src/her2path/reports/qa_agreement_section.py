"""Agreement of software and readers on one endpoint: everybody with everybody, then each pair."""

from __future__ import annotations

from collections.abc import Sequence

from her2path.domain.reads import SOFTWARE, Endpoint
from her2path.io.qa_documents import AgreementResult, AmongReadersEntry, PairEntry
from her2path.reports.html.agreement_plots import (
    ForestGroup,
    ForestRow,
    HeatCell,
    agreement_heatmap,
    forest_plot,
    tint,
)
from her2path.reports.html.scales import isolated
from her2path.reports.numbers import count_text, counted_text
from her2path.reports.qa_blocks import (
    Block,
    Chart,
    Fold,
    Grid,
    GridCell,
    Head,
    Heading,
    Rows,
    Section,
    Words,
    table,
)
from her2path.reports.qa_statistics import (
    CLOPPER_PEARSON,
    estimate_words,
    in_words_order,
    interval_title,
    interval_words,
    meanings,
    statistic,
    statistic_heads,
    statistic_rows,
    value_words,
)
from her2path.reports.qa_words import (
    OF_TWO_READERS,
    WITH_ONE_READER,
    endpoint_words,
    left_out_words,
    level_words,
    pair_words,
    sentence,
    who,
)

MOST_READERS = 24
"""Readers in the heatmap; its numbers could not be read with more."""
MOST_FOREST_ROWS = 30
"""Pairs of readers in a forest plot; of more the lowest and highest are shown."""
_SHOWN_KINDS = ("software_reference", "software_majority", "software_reader")
_HEAT: dict[Endpoint, str] = {
    Endpoint.SCORE: "kappa_quadratic",
    Endpoint.CATEGORY: "kappa_quadratic",
    Endpoint.CALL: "exact",
}
"""Ordered levels by weighted kappa; a call is right or wrong, and its share says so plainly."""


def endpoint_section(result: AgreementResult, endpoint: Endpoint) -> Section:
    """Show how far software and readers agree on one endpoint, over all cases."""
    pairs = [pair for pair in result.pairs if pair.endpoint == endpoint and not pair.stratum]
    title = f"Agreement: {endpoint_words(endpoint)}"
    between = [pair for pair in pairs if pair.kind != "intra_reader"]
    if not any(pair.cases for pair in between):
        why = "No case was read on this by two of them, so there is no agreement to show."
        return Section(f"agreement-{endpoint}", title, (Words(why, "missing"),))
    blocks: list[Block] = [*_among(result, endpoint), *_forest(between, "exact")]
    blocks += _heatmap(result, between, _HEAT[endpoint])
    blocks += [
        *_several(result, endpoint),
        *_pair_details(between),
        *_readers_among(between, endpoint),
        Heading("What these statistics say, and what they do not"),
        meanings(name for pair in between for name in _names_of(pair)),
    ]
    return Section(f"agreement-{endpoint}", title, tuple(blocks))


def _among(result: AgreementResult, endpoint: Endpoint) -> list[Block]:
    entries = [e for e in result.among_readers if e.endpoint == endpoint and not e.stratum]
    blocks: list[Block] = []
    for entry in entries:
        blocks.append(Words(entry.statement, "lead"))
        blocks.append(
            statistics_table(
                "The software with the readers, and the readers with each other "
                f"({counted_text(entry.readers, noun='reader')})",
                entry,
                csv="among_readers",
            )
        )
        blocks.append(meanings(entry.estimates))
    if not entries:
        blocks.append(
            Words(
                "The software's agreement cannot be held against that of the readers with each other: "
                "no case was read by two readers.",
                "missing",
            )
        )
    return blocks


def statistics_table(caption: str, entry: AmongReadersEntry | PairEntry, *, csv: str) -> Rows:
    """List statistics with interval, method and number of cases, one per row."""
    return table(caption, statistic_heads(entry.estimates), statistic_rows(entry.estimates), csv=csv)


def _forest(pairs: Sequence[PairEntry], name: str) -> list[Block]:
    ours = [p for p in pairs if p.kind in _SHOWN_KINDS]
    theirs = [p for p in pairs if p.kind == "readers"]
    groups = [
        ForestGroup(title, tuple(_forest_row(pair, name) for pair in _extremes(part, name)))
        for title, part in (
            ("The software", ours),
            ("Readers with each other", theirs),
            (
                "Each reader with the majority of the others",
                [p for p in pairs if p.kind == "reader_majority"],
            ),
            ("Readers with the reference", [p for p in pairs if p.kind == "reader_reference"]),
        )
        if part
    ]
    # The reference is a reader, too: how far the others agree with it is part of what readers reach.
    readers = [p for p in pairs if p.kind in OF_TWO_READERS]
    known = [
        (e.value, e.n) for p in readers if (e := p.estimates.get(name)) is not None and e.value is not None
    ]
    lowest, highest = (min(known), max(known)) if known else ((0.0, 0), (0.0, 0))
    band = (lowest[0], highest[0]) if known else None
    caption = "Each mark is the agreement of two, the line its interval; diamonds are the software's."
    if band is not None:
        caption += (
            f" The shaded band reaches from the lowest ({value_words(name, band[0])}, "
            f"n {count_text(lowest[1])}) to the highest ({value_words(name, band[1])}, "
            f"n {count_text(highest[1])}) agreement of two readers: that is what the software's agreement "
            "is read against. An interval wholly to the left of the band suggests that the software differs "
            "more from that reader than readers differ from each other; the band has no interval of its own, "
            "and one of few cases (n) says little."
        )
    else:
        caption += " There are no two readers to compare it with."
    if len(theirs) > MOST_FOREST_ROWS:
        caption += (
            f" Of {counted_text(len(theirs), noun='pair')} of readers the lowest and highest "
            f"{MOST_FOREST_ROWS // 2} are drawn."
        )
    title = f"{statistic(name).title} of pairs"
    return [Chart(title, forest_plot(groups, measure=statistic(name).title, band=band), caption)]


def _extremes(pairs: Sequence[PairEntry], name: str) -> list[PairEntry]:
    """Keep all pairs, or of many those that agree least and most, in their order."""
    if len(pairs) <= MOST_FOREST_ROWS:
        return list(pairs)

    def place(i: int) -> tuple[float, int]:
        entry = pairs[i].estimates.get(name)
        return (-2.0 if entry is None or entry.value is None else entry.value, i)

    ranked = sorted(range(len(pairs)), key=place)
    half = MOST_FOREST_ROWS // 2
    return [pairs[i] for i in sorted({*ranked[:half], *ranked[-half:]})]


def _forest_row(pair: PairEntry, name: str) -> ForestRow:
    entry = pair.estimates.get(name)
    words = estimate_words(name, entry)
    software = SOFTWARE in (pair.first, pair.second)
    label = pair_words(pair).removeprefix("the software ") if software else pair_words(pair)
    if pair.kind in {"reader_majority", "reader_reference"}:
        label = isolated(pair.first)
    if entry is None:
        return ForestRow(label, None, None, None, "not computed", software)
    return ForestRow(label, entry.value, entry.low, entry.high, f"{words}, n {count_text(entry.n)}", software)


def _heatmap(result: AgreementResult, pairs: Sequence[PairEntry], name: str) -> list[Block]:
    names = [entry.reader for entry in result.readers][:MOST_READERS]
    if len(names) < 3:
        return []  # With two of them there is one number, and it stands in the plot above.
    found = {
        frozenset((p.first, p.second)): HeatCell(e.value, e.n)
        for p in pairs
        if p.kind in WITH_ONE_READER | OF_TWO_READERS and (e := p.estimates.get(name)) is not None
    }
    cells = [[found.get(frozenset((a, b))) if a != b else None for b in names] for a in names]
    drawing = agreement_heatmap(
        names,
        cells,
        software=names.index(SOFTWARE) if SOFTWARE in names else None,
        measure=statistic(name).title,
    )
    caption = (
        f"{statistic(name).title}: darker is more. The frame marks the software; "
        "a dash says that there is no value."
    )
    if len(result.readers) > MOST_READERS:
        caption += (
            f" The first {MOST_READERS} of {len(result.readers)}; all pairs are in tables/agreement.csv."
        )
    return [Chart("Everybody with everybody", drawing, caption)]


def _several(result: AgreementResult, endpoint: Endpoint) -> list[Block]:
    entries = [e for e in result.multi_rater if e.endpoint == endpoint and not e.stratum]
    if not entries:
        return []
    heads = (Head("Readers"), *statistic_heads(entries[0].estimates))
    rows = [
        (
            f"{counted_text(len(entry.raters) - entry.with_software, noun='reader')}"
            f"{' and the software' if entry.with_software else ''}",
            *cells,
        )
        for entry in entries
        for cells in statistic_rows(entry.estimates)
    ]
    return [
        Heading("All readers at once"),
        table("Agreement of all readers at once", heads, rows, csv="multi_rater"),
        meanings(name for entry in entries for name in entry.estimates),
    ]


def _pair_details(pairs: Sequence[PairEntry]) -> list[Block]:
    """Show the matrix and all statistics of each pair with the software."""
    shown = sorted((p for p in pairs if p.kind in _SHOWN_KINDS), key=lambda p: _SHOWN_KINDS.index(p.kind))
    if not shown:
        return []
    blocks: list[Block] = [Heading("The software with each of them")]
    for number, pair in enumerate(shown):
        exact = estimate_words("exact", pair.estimates.get("exact"))
        summary = f"{sentence(pair_words(pair))}: exact agreement {exact}, {counted_text(pair.cases)}"
        caption = f"Statistics: {pair_words(pair)}"
        inner: list[Block] = [confusion_grid(pair), *_left_out(pair)]
        inner.append(statistics_table(caption, pair, csv="agreement"))
        inner += _percent_agreement(pair)
        blocks.append(Fold(summary, tuple(inner), open=number == 0))
    return blocks


def _left_out(pair: PairEntry) -> list[Block]:
    words = left_out_words(pair)
    return [Words(words, "quiet")] if words else []


def confusion_grid(pair: PairEntry) -> Grid:
    """Prepare the confusion matrix of a pair; a field is tinted by its share of its row."""
    sums = [sum(row) for row in pair.table]
    cells = tuple(
        tuple(
            GridCell(count_text(n), *tint(n / total if total else 0.0), diagonal=i == j)
            for j, n in enumerate(row)
        )
        for i, (row, total) in enumerate(zip(pair.table, sums, strict=True))
    )
    other = who(pair.second, other=pair.first)
    columns = [sum(column) for column in zip(*pair.table, strict=True)]
    row_name, column_name = sentence(who(pair.first)), sentence(other)
    if pair.kind == "intra_reader":
        row_name, column_name = f"Session {pair.first_session}", f"Session {pair.second_session}"
    return Grid(
        caption=f"Cases by {endpoint_words(pair.endpoint)}: {pair_words(pair)}",
        row_name=row_name,
        column_name=column_name,
        levels=tuple(map(level_words, pair.levels)),
        cells=cells,
        row_sums=tuple(map(count_text, sums)),
        column_sums=tuple(map(count_text, columns)),
        total=count_text(sum(sums)),
        csv="confusion",
    )


def _percent_agreement(pair: PairEntry) -> list[Block]:
    if not pair.percent_agreement:
        return []
    interval = interval_title(pair.percent_agreement[0].estimates)
    heads = (
        Head("How calls that are neither are treated"),
        Head("Statistic"),
        Head("Value", numeric=True),
        Head(f"{interval} and method"),
        Head(f"Exact {interval} (Clopper-Pearson)"),
        Head("n", numeric=True),
    )
    rows = [
        (
            entry.text,
            statistic(name).title,
            value_words(name, one.value),
            f"{interval_words(name, one)}, {one.method}",
            ""
            if (exact := entry.estimates.get(name + CLOPPER_PEARSON)) is None
            else interval_words(name, exact),
            count_text(one.n),
        )
        for entry in pair.percent_agreement
        for name, one in in_words_order(entry.estimates)
        if not name.endswith(CLOPPER_PEARSON)
    ]
    title = f"Percent agreement on positive and negative calls: {pair_words(pair)}"
    return [table(title, heads, rows, csv="percent_agreement")]


def _names_of(pair: PairEntry) -> list[str]:
    return [*pair.estimates, *(name for entry in pair.percent_agreement for name in entry.estimates)]


def _readers_among(pairs: Sequence[PairEntry], endpoint: Endpoint) -> list[Block]:
    rest = [p for p in pairs if p.kind not in _SHOWN_KINDS]
    if not rest:
        return []
    shown = ("exact", "within_one", "kappa", _HEAT[endpoint], "ac2")
    names = [n for n in dict.fromkeys(shown) if any(n in p.estimates for p in rest)]
    heads = (Head("Pair"), Head("Cases", numeric=True), *(Head(statistic(name).title) for name in names))
    rows = [
        (
            sentence(pair_words(pair)),
            count_text(pair.cases),
            *(estimate_words(name, pair.estimates.get(name)) for name in names),
        )
        for pair in rest
    ]
    summary = f"The readers with each other ({counted_text(len(rest), noun='pair')})"
    caption = (
        "Agreement of readers without the software; matrices, methods and further statistics "
        "stand in the tables for spreadsheets"
    )
    return [Fold(summary, (table(caption, heads, rows, csv="agreement"),))]
