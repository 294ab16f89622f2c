"""`her2path call --explain`: every rule with its numbers, and how firm the call is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from her2path.cli.call_view import show_distances, show_populations, show_remarks, show_result, show_versions
from her2path.reports.number_names import label_of
from her2path.reports.odds import odds_text, probability_text
from her2path.reports.wording import conclusion_words

if TYPE_CHECKING:
    from rich.console import Console

    from her2path.io.call_entries import StabilityEntry, TrailEntry
    from her2path.io.documents import CallDoc


def show_explanation(document: CallDoc, console: Console) -> None:
    """Print a call with everything it rests on."""
    show_result(document, console)
    if document.rule_trail:
        console.print("\nRules, in the order in which they were asked", style="bold")
        for n, entry in enumerate(document.rule_trail, start=1):
            _show_rule(n, entry, console)
    show_distances(document, console)
    show_populations(document, console)
    show_versions(document, console)
    if document.stability is not None:
        _show_stability(document.stability, console)
    if document.no_stability is not None:
        console.print(f"Another count: {document.no_stability.reason}", markup=False)
    if (cells := document.heterogeneity_2009) is not None:
        word = "heterogeneous" if cells.heterogeneous else "not heterogeneous"
        console.print(
            f"Nuclei with a ratio above 2.2: {cells.share_pct:.4g} % ({word} by the definition of 2009)",
            markup=False,
        )
    show_remarks(document, console)


def _show_rule(n: int, entry: TrailEntry, console: Console) -> None:
    console.print(f"{n}. {entry.rule_id}: {conclusion_words(entry.conclusion)}", markup=False)
    if entry.condition:
        console.print(f"   because {entry.condition}", markup=False)
    console.print(f"   source: {entry.source}", markup=False)
    if entry.numbers:
        numbers = (f"{label_of(name)} {_number(value)}" for name, value in entry.numbers.items())
        console.print(f"   numbers: {'; '.join(numbers)}", markup=False)


def _number(value: float | str) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _show_stability(stable: StabilityEntry, console: Console) -> None:
    basis = (
        "drawn again from the counted nuclei" if stable.basis == "nuclei" else "Poisson model of the totals"
    )
    console.print(f"\nAnother count of {stable.nuclei} nuclei ({basis})", style="bold", markup=False)
    for name, probability in stable.probabilities.items():
        here = "  (this count)" if name == stable.finding else ""
        console.print(f"  ISH {name}: {probability_text(probability)}{here}", markup=False)
    odds = f"{probability_text(stable.another_result)}, {odds_text(stable.another_result)}"
    console.print(f"  another result: {odds}", markup=False)
    for margin in stable.margin:
        words = f"{margin.change:+d} {label_of(margin.counted)} would lead to ISH {margin.finding}"
        console.print(f"  {words}", markup=False)
