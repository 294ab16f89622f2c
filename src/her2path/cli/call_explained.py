"""`her2path call --explain`: every rule with its numbers, and how firm the call is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from her2path.cli.call_view import show_distances, show_populations, show_remarks, show_result, show_versions
from her2path.reports.firmness_section import firmness_of
from her2path.reports.ish_section import heterogeneity_of
from her2path.reports.population_section import population_blocks
from her2path.reports.trail_section import cuts_by_quantity, trail_rows

if TYPE_CHECKING:
    from rich.console import Console

    from her2path.io.documents import CallDoc
    from her2path.reports.firmness_section import Firmness
    from her2path.reports.trail_section import TrailRow


def show_explanation(document: CallDoc, console: Console) -> None:
    """Print a call with everything it rests on."""
    cuts = cuts_by_quantity(document)
    show_result(document, console)
    if rows := trail_rows(document.rule_trail, document.comments, cuts):
        console.print("\nRules, in the order in which they were asked", style="bold")
        for n, row in enumerate(rows, start=1):
            _show_rule(n, row, console)
    show_distances(document, console)
    show_populations(document, console)
    show_versions(document, console)
    counts = [block.firmness for block in population_blocks(document, cuts)] or [firmness_of(document)]
    for firmness in counts:
        if firmness is not None:
            _show_firmness(firmness, console)
    if (cells := heterogeneity_of(document)) is not None:
        word = "heterogeneous" if cells.heterogeneous else "not heterogeneous"
        console.print(
            f"Nuclei with a ratio above 2.2: {cells.share} ({word} by the definition of 2009)", markup=False
        )
    show_remarks(document, console)


def _show_rule(n: int, row: TrailRow, console: Console) -> None:
    console.print(f"{n}. {row.rule_id}: {row.conclusion}", markup=False)
    if row.condition:
        console.print(f"   because {row.condition}", markup=False)
    console.print(f"   source: {row.source}", markup=False)
    if row.numbers:
        numbers = "; ".join(f"{number.name} {number.value}" for number in row.numbers)
        console.print(f"   numbers: {numbers}", markup=False)


def _show_firmness(firmness: Firmness, console: Console) -> None:
    of = f": {firmness.of.lower()}" if firmness.of else ""
    console.print(f"\nHow firm is the count{of}", style="bold", markup=False)
    if firmness.reason:
        console.print(f"  The chance of another result cannot be told: {firmness.reason}", markup=False)
    for sentence in (firmness.chance, firmness.beside, firmness.basis):
        if sentence:
            console.print(f"  {sentence}", markup=False)
    for group in firmness.groups:
        here = "  (this count)" if group.is_this else ""
        console.print(f"  {group.name}: {group.probability}{here}", markup=False)
    for margin in firmness.margins:
        console.print(f"  {margin}", markup=False)
