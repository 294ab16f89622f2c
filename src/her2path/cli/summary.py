"""What a person sees in the terminal when calls have been made."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from her2path.io.documents import CallDoc

_WORDS = {
    "positive": "positive",
    "negative": "negative",
    "equivocal": "equivocal",
    "indeterminate": "indeterminate",
    "needs_ish": "needs ISH",
    "needs_ihc": "needs IHC",
    "needs_recount": "needs recount",
    "needs_adjudication": "needs adjudication",
    "not_evaluable": "not evaluable",
}


def show_calls(calls: Sequence[CallDoc], *, console: Console | None = None) -> None:
    """Print one line per case, and under it why a case could not be evaluated."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("case", "HER2", "IHC", "category", "ISH"):
        table.add_column(name, no_wrap=name in {"case", "HER2"})
    for name in ("stained %", "ratio", "copies", "nuclei"):
        table.add_column(name, justify="right")
    for call in calls:
        table.add_row(
            call.case_id,
            _WORDS[call.state],
            call.ihc_score or "-",
            call.her2_category or "-",
            call.ish_group or "-",
            _number(call.ihc.get("pct_stained"), 1),
            _number(call.ish.get("her2_cep17_ratio"), 2),
            _number(call.ish.get("her2_mean"), 2),
            _number(call.ish.get("nuclei"), 0),
        )
    console = console or Console()
    console.print(table)
    for call in calls:
        for image_id, reason in call.reasons.items():
            console.print(f"{call.case_id}: {image_id}: {reason.reason}", markup=False, style="yellow")


def _number(value: object, digits: int) -> str:
    return f"{value:.{digits}f}" if isinstance(value, int | float) else "-"
