"""The discordance review: what differs gravest first, opinions side by side, re-reads, adjudications."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from her2path.domain.discordance import TITLES
from her2path.domain.ihc import StainingClass
from her2path.io.qa_review_entries import (
    AdjudicationSummary,
    DiscordantCase,
    EvidenceEntry,
    OpinionEntry,
    ReadingEntry,
    RereadOpinion,
    ReviewResult,
)
from her2path.reports.html.scales import isolated
from her2path.reports.number_names import STAINING_WORDS, code_words, in_listing_order, label_of
from her2path.reports.numbers import count_text, counted_text, number_text, signed_text, value_text
from her2path.reports.qa_blocks import Block, Fold, Head, Heading, Section, Words, table
from her2path.reports.qa_statistics import estimate_words

MOST_CASES = 40
"""Discordant cases whose opinions are shown side by side; all of them stand in the table."""
_OPINION_HEADS = (
    Head("Who"),
    Head("Date", numeric=True),
    Head("IHC"),
    Head("Percentages"),
    Head("ISH counts"),
    Head("Call"),
    Head("Category"),
    Head("Differs from the software"),
    Head("Comment"),
)


def review_section(result: ReviewResult | None) -> Section:
    """Show the discordant cases in the order of review; None = there was no review."""
    title = "Discordant cases"
    if result is None:
        return Section("review", title, (Words("Discordant cases were not ranked here.", "missing"),))
    lead = Words(
        f"{counted_text(result.compared)} with two opinions at least: in {count_text(result.concordant)} all "
        f"agree, in {count_text(result.discordant)} they differ.",
        "lead",
    )
    blocks: list[Block] = [lead]
    if result.discordant:
        blocks += [_weights(result), _ranked(result), *_side_by_side(result.cases)]
    blocks += _rereads(result)
    blocks += _adjudications(result)
    return Section("review", title, tuple(blocks))


def _weights(result: ReviewResult) -> Block:
    heads = (Head("What differs"), Head("Cases", numeric=True), Head("Why it stands here"))
    rows = [(one.title, count_text(one.cases), one.reason) for one in result.weights]
    return table("Kinds of disagreement, the gravest first", heads, rows, csv="review_kinds")


def _ranked(result: ReviewResult) -> Block:
    heads = (
        Head("Case"),
        Head("Rank", numeric=True),
        Head("What differs"),
        Head("Between"),
        Head("Readers who differ so", numeric=True),
        Head("Adjudicated"),
    )
    decided = {entry.case_id for entry in result.adjudications}
    every = [*result.cases, *result.further]
    rows = [
        (
            isolated(one.case_id),
            count_text(one.rank),
            TITLES[one.kind],
            "the software and readers" if one.against_software else "readers only",
            count_text(one.differing),
            "yes" if one.case_id in decided else "not yet",
        )
        for one in every
    ]
    return table("Discordant cases in the order of review", heads, rows, csv="review_cases")


def _side_by_side(cases: Sequence[DiscordantCase]) -> list[Block]:
    shown = cases[:MOST_CASES]
    blocks: list[Block] = [Heading("Opinions and evidence side by side")]
    for one in shown:
        caption = f"First reads of {isolated(one.case_id)}"
        rows = [_opinion_row(opinion) for opinion in one.opinions]
        inner: list[Block] = [table(caption, _OPINION_HEADS, rows, csv="review_opinions")]
        inner += _later(one)
        inner += _evidence(one)
        summary = f"{count_text(one.rank)}. {isolated(one.case_id)}: {TITLES[one.kind]}"
        blocks.append(Fold(summary, tuple(inner), open=one.rank == 1))
    if len(cases) > len(shown):
        blocks.append(
            Words(
                f"{count_text(len(shown))} of {count_text(len(cases))} cases with their evidence are shown; "
                "`qa.json` holds them all.",
                "quiet",
            )
        )
    return blocks


def _opinion_row(opinion: OpinionEntry) -> tuple[str, ...]:
    name = "the software" if opinion.is_software else isolated(opinion.reader)
    differs = "" if opinion.differs is None else TITLES[opinion.differs]
    return (name, opinion.read_on or "", *_reading_cells(opinion), differs, isolated(opinion.comment))


def _reading_cells(reading: ReadingEntry) -> tuple[str, ...]:
    """Print score, percentages, counts, call and category; what was not read stays empty."""
    counts = ""
    if reading.her2_signals is not None:
        cep17 = "" if reading.cep17_signals is None else f", {count_text(reading.cep17_signals)} CEP17"
        counts = f"{count_text(reading.her2_signals)} HER2{cep17} in {count_text(reading.nuclei)} nuclei"
    return (
        "" if reading.ihc_score is None else str(reading.ihc_score),
        _percentages(reading.percentages),
        counts,
        "" if reading.call is None else code_words(reading.call),
        "" if reading.category is None else str(reading.category),
    )


def _percentages(read: Mapping[StainingClass, float]) -> str:
    """Print the classes that were seen; those that were read as none of the cells are named together."""
    seen = [
        f"{STAINING_WORDS[name].lower()} {number_text(float(read[name]), digits=1, cuts=(0.0, 100.0))} %"
        for name in StainingClass
        if read.get(name)
    ]
    zeros = sum(value == 0 for value in read.values())
    others = ["the others 0 %"] if zeros and seen else ["all 0 %"] if zeros else []
    return "; ".join([*seen, *others])


def _later(one: DiscordantCase) -> list[Block]:
    blocks: list[Block] = []
    if one.rereads:
        heads = (*_OPINION_HEADS[:7], Head("How"), Head("Comment"))
        rows = [_reread_row(reread) for reread in one.rereads]
        caption = f"Re-reads of {isolated(one.case_id)}, beside the first reads"
        blocks.append(table(caption, heads, rows, csv="review_opinions"))
    if one.adjudication is not None:
        made = one.adjudication
        decided = [str(made.ihc_score) if made.ihc_score else "", code_words(made.call or "")]
        own = "; one of the first readers" if made.read_the_case else ""
        blocks.append(
            Words(
                f"Adjudicated by {isolated(made.by)} on {made.decided_on}{own}: "
                f"{', '.join(word for word in decided if word)}. {isolated(made.why)}"
            )
        )
    return blocks


def _reread_row(reread: RereadOpinion) -> tuple[str, ...]:
    how = "first results not known" if reread.blinded else "first results known"
    if reread.not_read:
        how = f"not read: {isolated(reread.not_read)}"
    name = isolated(reread.reader)
    return (name, reread.read_on, *_reading_cells(reread), how, isolated(reread.comment))


def _evidence(one: DiscordantCase) -> list[Block]:
    if one.evidence is None:
        return [Words(f"No evidence of the software: {one.no_evidence}", "missing")]
    made = one.evidence
    blocks: list[Block] = []
    rules = [(rule.rule_id, code_words(rule.conclusion), rule.condition) for rule in made.rule_trail]
    if rules:
        heads = (Head("Rule"), Head("Leads to"), Head("What had to hold"))
        caption = f"Rules behind the software's call of {isolated(one.case_id)}"
        blocks.append(table(caption, heads, rules, csv="review_evidence"))
    blocks += _distances(one.case_id, made)
    if made.ihc or made.ish:
        blocks.append(_numbers(one.case_id, made))
    if made.files:
        named = ", ".join(f"`{path}`" for paths in made.files.values() for path in paths)
        blocks.append(Words(f"To look at, in the results folder of the run: {named}", "quiet"))
    return blocks


def _distances(case_id: str, made: EvidenceEntry) -> list[Block]:
    """List how far each number lies from its cut-point, the nearest to its cut-point first."""
    if not made.distance_to_cut:
        return []
    heads = (
        Head("Number"),
        Head("Value", numeric=True),
        Head("Cut-point", numeric=True),
        Head("Distance", numeric=True),
        Head("Unit"),
    )
    ranked = sorted(made.distance_to_cut, key=lambda one: abs(one.distance) / (abs(one.cut) or 1.0))
    rows = [
        (
            label_of(one.quantity),
            number_text(one.value, cuts=(one.cut,)),
            f"{one.cut:g}",
            signed_text(one.distance),
            one.unit,
        )
        for one in ranked
    ]
    caption = f"Distance to the cut-points of {isolated(case_id)}, the nearest first"
    return [table(caption, heads, rows, csv="review_evidence")]


def _numbers(case_id: str, made: EvidenceEntry) -> Block:
    heads = (Head("Number"), Head("Value", numeric=True))
    values = {**made.ihc, **made.ish}
    rows = [(label_of(name), value_text(name, values[name])) for name in in_listing_order(values)]
    caption = f"Numbers behind the software's call of {isolated(case_id)}"
    return table(caption, heads, rows, csv="review_evidence")


def _rereads(result: ReviewResult) -> list[Block]:
    if not result.rereads:
        text = "No blinded re-read was taken back, so nothing is known of second looks at these cases."
        return [Words(text, "missing")]
    heads = (
        Head("Reader"),
        Head("List"),
        Head("Date"),
        Head("Blinded"),
        Head("Cases", numeric=True),
        Head("Same result on repeats"),
        Head("Keeps the first result"),
        Head("Takes the software's result"),
        Head("Days since the last read, least", numeric=True),
    )
    rows = [
        (
            isolated(one.reader),
            one.list_id,
            one.read_on,
            "yes" if one.blinded else "no",
            count_text(one.cases),
            estimate_words("exact", one.repeats_agree),
            f"{count_text(one.keeps_first)} of {count_text(one.read_before)}",
            f"{count_text(one.takes_software)} of {count_text(one.discordant_cases)}",
            "no dates" if one.fewest_days is None else count_text(one.fewest_days),
        )
        for one in result.rereads
    ]
    return [
        Heading("Blinded re-reads"),
        table("Re-read lists that were taken back", heads, rows, csv="review_rereads"),
    ]


def _adjudications(result: ReviewResult) -> list[Block]:
    if not result.adjudications:
        return [Words("No discordant case was adjudicated.", "missing")] if result.discordant else []
    heads = (
        Head("Number"),
        Head("Case"),
        Head("By"),
        Head("Date"),
        Head("Score"),
        Head("Call"),
        Head("Category"),
        Head("Why"),
    )
    rows = [
        (
            count_text(one.number),
            isolated(one.case_id),
            isolated(one.by),
            one.decided_on,
            "" if one.ihc_score is None else str(one.ihc_score),
            "" if one.call is None else code_words(one.call),
            "" if one.category is None else str(one.category),
            isolated(one.why),
        )
        for one in result.adjudications
    ]
    return [
        Heading("Adjudications"),
        Words(_followed(result.after_adjudication)),
        table("Adjudications in the order of recording", heads, rows, csv="review_adjudications"),
    ]


def _followed(summary: AdjudicationSummary) -> str:
    return (
        f"{counted_text(summary.cases)} decided: {count_text(summary.software)} as the software, "
        f"{count_text(summary.all_readers)} against it as all readers, {count_text(summary.some_readers)} "
        f"against it as some readers, {count_text(summary.neither)} as nobody; "
        f"{count_text(summary.pending)} wait. {summary.text}"
    )
