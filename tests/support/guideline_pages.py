"""The pages of `docs/guidelines/`, made from the registry.

``python -m tests.support.guideline_pages`` writes one page for each guideline, and the generated
parts of `README.md` and `policies.md`; tests hold the files against them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from her2path.domain.guideline.definition import Guideline, RecountUse
from her2path.domain.guideline.registry import GUIDELINES
from her2path.domain.populations import APART, APART_ADOPTED, population_rules
from tests.support import guideline_tables as tables
from tests.support.guideline_diagrams import call_diagrams, ihc_diagram, ish_diagram, recount_diagram
from tests.support.guideline_trees import single_probe_only
from tests.support.policies import FOLDER, PAGE, policies_in, written

COMMAND = "python -m tests.support.guideline_pages"
README = FOLDER / "README.md"
_BY_MEASUREMENT = {
    "P23": "acceptance of control tissue on the slide",
    "P24": "nuclei that a measurement cannot resolve",
    "P25": "autofluorescence as measured",
}
"""Policies without a rule of their own: they say what a measurement means to any guideline."""
_PART = re.compile(r"(<!-- generated: (.+?) -->\n)(.*?)(\n<!-- end -->)", re.DOTALL)


def pages() -> dict[Path, str]:
    """Every page as it should stand, by its file."""
    found = {FOLDER / f"{guideline.id}.md": page_of(guideline) for guideline in GUIDELINES.values()}
    shared = {"index": tables.index(), "staining": tables.staining(), "flags": tables.flags()}
    shared["populations"] = f"{tables.populations()}\n\n{tables.population_rules()}"
    found[README] = _filled(README, shared)
    found[PAGE] = _filled(PAGE, {number: users_of(number) for number in written()})
    return found


def _filled(file: Path, parts: Mapping[str, str]) -> str:
    """Put the generated parts of a page between their marks."""
    text = file.read_text(encoding="utf-8")
    return _PART.sub(lambda found: f"{found[1]}{parts[found[2]]}{found[4]}", text)


def page_of(guideline: Guideline) -> str:
    """Write the page of one guideline."""
    sections = (*_test_sections(guideline), *_call_sections(guideline), *_closing_sections(guideline))
    numbered = [f"## {place}. {title}\n\n{body}" for place, (title, body) in enumerate(sections, start=1)]
    head = (
        f"# {guideline.title}",
        f"<!-- Made from the rules by `{COMMAND}`; do not edit. -->",
        "How to read this page, its diagrams and its words: [README.md](README.md). Where a source reads "
        "**her2path policy**, the guideline is silent and her2path decided.",
        tables.facts(guideline),
    )
    return "\n\n".join((*head, *numbered)) + "\n"


Section = tuple[str, str]


def _test_sections(guideline: Guideline) -> Iterable[Section]:
    yield (
        "What cannot be read",
        f"Any number of these may hold at once.\n\n{tables.rejections(guideline)}",
    )
    yield (
        "From staining to a score",
        _paragraphs(
            "Exactly one rule holds. Percentages are of scored invasive tumour cells.",
            ihc_diagram(guideline),
            tables.scores(guideline),
            "What the percentages count:",
            tables.percentages(guideline),
        ),
    )
    yield (
        "From signals to an ISH result: dual probe",
        _paragraphs(
            "Exactly one rule holds.",
            ish_diagram(guideline, dual=True),
            tables.ish(guideline.ish_dual, guideline),
        ),
    )
    single = (
        _paragraphs(
            "Exactly one rule holds.",
            ish_diagram(guideline, dual=False),
            tables.ish(guideline.ish_single, guideline),
        )
        if guideline.ish_single
        else "There is no rule for a single probe: such a count is unreadable (section 1)."
    )
    yield "From signals to an ISH result: single probe", single
    if flags := (*guideline.ish_flags, *guideline.recount_flags):
        yield (
            "Flags of a count",
            "Any number of these may hold; none changes a result.\n\n" + tables.flagged(flags),
        )


def _call_sections(guideline: Guideline) -> Iterable[Section]:
    drawn = list(call_diagrams(guideline))
    if single_probe_only(guideline):
        drawn.insert(1, "With a single probe:")
    yield (
        "The call",
        _paragraphs(
            "Exactly one rule holds. *Unreadable* means rejected by section 1. At least one test was made: "
            "where one arrow stands for IHC *not done* and *unreadable* and leads to ISH *not done*, only "
            "the unreadable IHC is a case.",
            *drawn,
            "With a recount:",
            *_recount(guideline),
            "All rules:",
            tables.calls(guideline),
        ),
    )


def _recount(guideline: Guideline) -> Iterable[str]:
    if guideline.recount_use is RecountUse.ADD:
        yield (
            "The second count adds nuclei to the first. Where the first count was equivocal, ISH in this "
            "diagram is the result of both counts together, and the recount is said to be the *same result*. "
            "Where it was not, the recount is the *same result* or *another result* as both together agree "
            "with the first count or not. *As without a recount* means: as the first diagram says for that "
            "result."
        )
    yield recount_diagram(guideline) or "No recount changes the call."


def _closing_sections(guideline: Guideline) -> Iterable[Section]:
    yield (
        "Handling of the specimen",
        "Flags only; what is not stated sets none.\n\n" + tables.flagged(guideline.specimen),
    )
    yield "Comments", tables.comments(guideline)
    yield (
        "Cut-points",
        "Each call states how far its numbers lie from these.\n\n" + tables.cuts(guideline),
    )
    policies = written()
    rows = [
        (f"[{number}](policies.md#{number.lower()})", policies[number].question, policies[number].decision)
        for number in policies_of(guideline)
    ]
    yield "Policies used", tables.table(("policy", "question", "decision of her2path"), rows)


def _paragraphs(*parts: str) -> str:
    return "\n\n".join(parts)


def policies_of(guideline: Guideline) -> tuple[str, ...]:
    """List the policies on which results by a guideline can rest."""
    sources = [source for _, source in guideline.rule_sources()]
    sources += [rule.source for rule in population_rules(APART)]
    # P22 has no rule of its own: it is the list of groups that are one result.
    sources += ["her2path policy P22"] if guideline.one_result else []
    # Nor have those that decide what a measurement means to any guideline.
    sources += [f"her2path policy {number}" for number in _BY_MEASUREMENT]
    return policies_in("; ".join(sources))


def users_of(number: str) -> str:
    """List the rules that rest on a policy, and by which guidelines."""
    users: dict[str, list[str]] = {}
    for guideline in GUIDELINES.values():
        for rule_id, source in guideline.rule_sources():
            if number in policies_in(source):
                users.setdefault(f"`{rule_id}`", []).append(guideline.id)
        if number == "P22" and guideline.one_result:
            users.setdefault("comparison of two counts", []).append(guideline.id)
        if number in _BY_MEASUREMENT:
            users.setdefault(_BY_MEASUREMENT[number], []).append(guideline.id)
    rows = [(rule, _linked(ids)) for rule, ids in users.items()]
    rows += [
        (f"`{rule.id}`", "all") for rule in population_rules(APART) if number in policies_in(rule.source)
    ]
    silent = [guideline.id for guideline in GUIDELINES.values() if not guideline.speaks_of_populations]
    rows += [
        (f"`{rule.id}`", _linked(silent))
        for rule, asked in zip(population_rules(APART_ADOPTED), population_rules(APART), strict=True)
        if number in policies_in(rule.source) and rule.source != asked.source
    ]
    return tables.table(("used by", "of guideline"), rows)


def _linked(ids: list[str]) -> str:
    return "all" if len(ids) == len(GUIDELINES) else ", ".join(f"[`{name}`]({name}.md)" for name in ids)


def main() -> None:
    """Write all pages; a page without a guideline goes."""
    found = pages()
    for file in set(FOLDER.glob("*.md")) - found.keys():
        file.unlink()
    for file, text in found.items():
        file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
