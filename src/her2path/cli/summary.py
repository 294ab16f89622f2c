"""What a person sees in the terminal when calls have been made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from her2path.io.documents import CallDoc
from her2path.reports.numbers import number_text
from her2path.reports.trail_section import Cuts, cuts_by_quantity
from her2path.reports.wording import words_of


def show_calls(calls: Sequence[CallDoc], *, console: Console | None = None) -> None:
    """Print one line per case, and under it why a case could not be evaluated."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("case", "HER2", "IHC", "category", "ISH"):
        table.add_column(name, no_wrap=True)
    for name in ("stained %", "ratio", "copies", "nuclei"):
        table.add_column(name, justify="right")
    for call in calls:
        cuts = cuts_by_quantity(call)
        table.add_row(
            call.case_id,
            words_of(call).short,
            call.ihc_score or "-",
            call.her2_category or "-",
            call.ish_group or "-",
            _number(call.ihc, "pct_stained", 1, cuts),
            _number(call.ish, "her2_cep17_ratio", 2, cuts),
            _number(call.ish, "her2_mean", 2, cuts),
            _number(call.ish, "nuclei", 0, cuts),
        )
    console = console or Console()
    console.print(table)
    for call in calls:
        for image_id, reason in call.reasons.items():
            console.print(f"{call.case_id}: {image_id}: {reason.reason}", markup=False, style="yellow")


def _number(numbers: Mapping[str, object], name: str, digits: int, cuts: Cuts) -> str:
    value = numbers.get(name)
    return number_text(
        value if isinstance(value, int | float) else None, digits=digits, cuts=cuts.get(name, ())
    )
