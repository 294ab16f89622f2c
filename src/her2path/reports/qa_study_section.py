"""What the study holds: readers, the same reader twice, strata, rules for studies, what was left out."""

from __future__ import annotations

from collections.abc import Sequence

from her2path.domain.reads import SOFTWARE, Endpoint
from her2path.io.qa_documents import AgreementResult, CategoryEffectEntry, PairEntry, ReaderEntry
from her2path.reports.html.agreement_plots import ForestGroup, ForestRow, forest_plot
from her2path.reports.html.scales import isolated, shortened
from her2path.reports.numbers import count_text, counted_text
from her2path.reports.qa_agreement_section import confusion_grid, statistics_table
from her2path.reports.qa_blocks import Block, Chart, Fold, Head, Section, Words, id_list, table
from her2path.reports.qa_statistics import estimate_words, meanings, statistic
from her2path.reports.qa_summary import count_effects
from her2path.reports.qa_words import (
    ENDPOINT_WORDS,
    STRATUM_WORDS,
    WITH_ONE_READER,
    capitalised,
    level_words,
    pair_words,
    sentence,
    who,
)

MOST_GROUP_ROWS = 60
"""Rows of a figure of groups: two a group, for the software and the readers."""
_CHANGE_WORDS = {
    "treatment": "another category",
    "open": "open: one of both has none yet",
    "none": "the same category",
}
_CHANGE_ORDER = ("treatment", "open", "none")
_CHECK_WORDS = {"met": "met", "not_met": "not met", "cannot_be_told": "cannot be told"}
_CONTRADICTION_WORDS = {
    "score_other_than_percentages": "score other than the percentages give",
    "call_other_than_numbers": "call other than the numbers give",
}


def readers_section(result: AgreementResult) -> Section:
    """List who read how much, and reads that contradict themselves."""
    heads = (
        Head("Reader"),
        Head("Cases", numeric=True),
        Head("Reads", numeric=True),
        Head("Sessions", numeric=True),
        Head("With ISH counts", numeric=True),
        Head("First read", numeric=True),
        Head("Last read", numeric=True),
        Head("IHC scores of the first session"),
        Head("Contradictory reads"),
    )
    rows = [_reader_row(reader) for reader in result.readers]
    blocks: list[Block] = [table("Readers and what they read", heads, rows, csv="readers")]
    persons = [reader for reader in result.readers if not reader.is_software]
    if len(persons) == 1:
        text = (
            "One reader only: how far readers agree with each other on these cases is not known, so a low "
            "agreement with the software cannot be told from hard cases."
        )
        blocks.append(Words(text, "missing"))
    return Section("readers", "Readers and reads", tuple(blocks))


def _reader_row(reader: ReaderEntry) -> tuple[str, ...]:
    scores = reader.values.get(Endpoint.SCORE, {})
    odd = [
        f"{_CONTRADICTION_WORDS.get(name, name.replace('_', ' '))}: {id_list(group.case_ids, group.cases)}"
        for name, group in reader.contradictions.items()
        if group.cases
    ]
    return (
        f"{isolated(reader.reader)} (the software)" if reader.is_software else isolated(reader.reader),
        count_text(reader.cases),
        count_text(reader.reads),
        count_text(reader.sessions),
        count_text(reader.counted),
        reader.first_on or "not stated",
        reader.last_on or "not stated",
        ", ".join(f"{level}: {count_text(n)}" for level, n in scores.items()),
        "; ".join(odd),
    )


def effects_section(result: AgreementResult) -> Section:
    """Show which differences on the score change the clinical category."""
    title = "Disagreements and the clinical category"
    ours = [e for e in result.category_effects if _is_disagreement(e)]
    both = any(p.cases for p in result.pairs if p.kind in WITH_ONE_READER)
    if not both:
        text = "No case has a result of both the software and a reader."
        return Section("effects", title, (Words(text, "missing"),))
    if not ours:
        text = "Software and readers state the same score and category in every case that both have."
        return Section("effects", title, (Words(text, "quiet"),))
    heads = (
        Head("Software and reader"),
        Head("Scores"),
        Head("Categories"),
        Head("Effect"),
        Head("Cases", numeric=True),
        Head("Which"),
    )
    ranked = sorted(ours, key=lambda e: (_CHANGE_ORDER.index(e.changes), -e.cases))
    rows = [
        (
            f"{sentence(who(e.first))} and {who(e.second, other=e.first)}",
            f"{level_words(e.first_score)} and {level_words(e.second_score)}",
            f"{level_words(e.first_category)} and {level_words(e.second_category)}",
            _CHANGE_WORDS[e.changes],
            count_text(e.cases),
            id_list(e.case_ids, e.cases),
        )
        for e in ranked
    ]
    counted = count_effects(result)
    lead = (
        f"Of {counted_text(counted.compared, noun='comparison')} of a case with a reader in which both have "
        f"a category, {count_text(counted.treatment)} give another one. {count_text(counted.open)} more "
        f"differ while one of both has no category yet, and {count_text(counted.same)} on the score alone."
    )
    text = (
        "Each row is one way in which the software and a reader differ. Another category can mean another "
        "treatment; a difference within one category does not. Which of both is right is not said here."
    )
    caption = "Ways of differing, those with another category first"
    made = table(caption, heads, rows, csv="category_effects")
    return Section("effects", title, (Words(lead, "lead"), Words(text), made))


def _is_disagreement(entry: CategoryEffectEntry) -> bool:
    differs = entry.first_score != entry.second_score or entry.first_category != entry.second_category
    return differs and entry.first == SOFTWARE


def intra_section(result: AgreementResult) -> Section:
    """Show how far each reader agrees with their own earlier read."""
    title = "The same reader in two sessions"
    pairs = [p for p in result.pairs if p.kind == "intra_reader" and not p.stratum and p.cases]
    if not pairs:
        text = "No reader read a case in two sessions, so how steady each of them is, is not known."
        return Section("sessions", title, (Words(text, "missing"),))
    blocks: list[Block] = [
        Words(
            "How far a reader agrees with themselves sets how far they can agree with anybody else. "
            "It does not say that the reader is right."
        )
    ]
    for endpoint in dict.fromkeys(p.endpoint for p in pairs):
        part = [p for p in pairs if p.endpoint == endpoint]
        caption = f"{ENDPOINT_WORDS[endpoint]}: each reader with themselves"
        blocks.append(_intra_table(caption, part))
    for pair in pairs:
        inner = (
            confusion_grid(pair),
            statistics_table(f"Statistics: {pair_words(pair)}", pair, csv="agreement"),
        )
        exact = estimate_words("exact", pair.estimates.get("exact"))
        summary = (
            f"{ENDPOINT_WORDS[pair.endpoint]}: {pair_words(pair)}, exact agreement {exact}, "
            f"{counted_text(pair.cases)}"
        )
        blocks.append(Fold(summary, inner))
    blocks.append(meanings(name for pair in pairs for name in pair.estimates))
    return Section("sessions", title, tuple(blocks))


def _intra_table(caption: str, pairs: Sequence[PairEntry]) -> Block:
    names = [n for n in ("exact", "within_one", "kappa_quadratic") if any(n in p.estimates for p in pairs)]
    heads = (
        Head("Reader and sessions"),
        Head("Cases", numeric=True),
        Head("Days between: least, median, greatest"),
        *(Head(statistic(name).title) for name in names),
    )
    rows = [
        (
            sentence(pair_words(pair)),
            count_text(pair.cases),
            "no dates"
            if pair.days_between is None
            else ", ".join(count_text(days) for days in pair.days_between),
            *(estimate_words(name, pair.estimates.get(name)) for name in names),
        )
        for pair in pairs
    ]
    return table(caption, heads, rows, csv="agreement")


def strata_section(result: AgreementResult) -> Section:
    """Show agreement by site, scanner, antibody clone, batch and kind of specimen."""
    title = "By site, scanner, antibody clone and batch"
    if not result.strata:
        text = (
            "No strata were given, so agreement by site, scanner, antibody clone or batch is not known. "
            "Give them with `--strata` (case_id and any of site, scanner, clone, batch, specimen, date)."
        )
        return Section("strata", title, (Words(text, "missing"),))
    blocks: list[Block] = [
        Words(
            "The smaller a group, the wider its interval: groups differ by chance too, and with many groups "
            "some stand out although nothing is wrong with them."
        )
    ]
    for name, values in result.strata.items():
        stated = ", ".join(f"{isolated(value)} {count_text(n)}" for value, n in values.items())
        caption_words = STRATUM_WORDS.get(name, name)
        blocks.append(Words(f"{capitalised(caption_words)}: {stated} cases."))
        blocks += _stratum_figure(result, name)
        blocks += _stratum_table(result, name)
    missing = [STRATUM_WORDS[name] for name in STRATUM_WORDS if name not in result.strata]
    if missing:
        blocks.append(Words(f"Not given: {', '.join(missing)}.", "missing"))
    blocks.append(meanings(["exact"]))
    return Section("strata", title, tuple(blocks))


def _stratum_figure(result: AgreementResult, name: str) -> list[Block]:
    entries = [e for e in result.among_readers if e.stratum == name]
    groups = [
        ForestGroup(
            ENDPOINT_WORDS[endpoint],
            tuple(
                ForestRow(
                    f"{shortened(entry.stratum_value, 20)}: {label}",
                    one.value,
                    one.low,
                    one.high,
                    f"{estimate_words(key, one)}, n {count_text(one.n)}",
                    key == "software_readers",
                )
                for entry in entries
                if entry.endpoint == endpoint
                for key, label in (("software_readers", "software"), ("readers_readers", "readers"))
                if (one := entry.estimates.get(key)) is not None
            ),
        )
        for endpoint in Endpoint
    ]
    words = STRATUM_WORDS.get(name, name)
    caption = (
        "Diamonds: mean share of readers who say the same as the software; circles: mean share of pairs of "
        "readers who say the same, in the same group."
    )
    charts: list[Block] = []
    for group in groups:
        title = f"{group.title} by {words}"
        if len(group.rows) > MOST_GROUP_ROWS:
            text = f"{title}: {len(group.rows) // 2} groups are too many to draw; see the tables."
            charts.append(Words(text, "quiet"))
        elif any(row.value is not None for row in group.rows):
            drawing = forest_plot([ForestGroup("", group.rows)], measure="Mean exact agreement", band=None)
            charts.append(Chart(title, drawing, caption))
    return charts


def _stratum_table(result: AgreementResult, name: str) -> list[Block]:
    pairs = [p for p in result.pairs if p.stratum == name and p.kind.startswith("software")]
    if not pairs:
        return []
    words = STRATUM_WORDS.get(name, name)
    heads = (
        Head(capitalised(words)),
        Head("Agreement on"),
        Head("Pair"),
        Head("Cases", numeric=True),
        Head("Exact agreement"),
        Head("Method"),
    )
    rows = [
        (
            isolated(p.stratum_value),
            ENDPOINT_WORDS[p.endpoint],
            sentence(pair_words(p)),
            count_text(p.cases),
            estimate_words("exact", p.estimates.get("exact")),
            p.estimates["exact"].method if "exact" in p.estimates else "",
        )
        for p in pairs
    ]
    caption = f"Exact agreement of the software by {words}"
    return [Fold(f"{caption} ({len(rows)} rows)", (table(caption, heads, rows, csv="agreement"),))]


def checks_section(result: AgreementResult) -> Section:
    """Hold the study against the rules for validation studies."""
    title = "Rules for validation studies"
    if not result.study_checks:
        return Section("rules", title, (Words("No rule was asked about this study.", "missing"),))
    heads = (
        Head("Rule"),
        Head("Here"),
        Head("Needed"),
        Head("Found"),
        Head("What it does not check"),
        Head("Source"),
    )
    rows = [
        (
            check.title,
            _CHECK_WORDS[check.status],
            check.needed,
            check.found,
            check.does_not_check,
            check.source,
        )
        for check in result.study_checks
    ]
    text = (
        "A rule that is met does not make a validation: each checks one number of the study, and says what "
        "it leaves to the laboratory."
    )
    return Section("rules", title, (Words(text), table("Rules, one by one", heads, rows, csv="study_checks")))
