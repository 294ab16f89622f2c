"""`calls.csv` and `calls.parquet`: one row per case, for spreadsheets and statistics.

The CSV is RFC 4180 (commas, CRLF, quotes doubled), UTF-8 without a byte-order mark.  An empty cell
means "not measured".  Numbers and scores stand as they are; free text that a spreadsheet would take
for a formula is preceded by an apostrophe.  The Parquet table holds the same with types: "not
measured" is null, codes are lists, and no text has an apostrophe before it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from her2path.domain.ihc import StainingClass
from her2path.io.case_tables import CALLS
from her2path.io.count_table import guarded
from her2path.io.documents import CallDoc
from her2path.reports.wording import reason_sentences

COLUMNS: tuple[str, ...] = tuple(CALLS.names)
_IHC = ("scored_cells", "h_score", *(f"pct_{name}" for name in StainingClass))
_ISH = ("nuclei", "her2_signals", "cep17_signals", "her2_mean", "cep17_mean", "her2_cep17_ratio")
_TEXTS = {"case_id", "comments", "flags", "reason"}
"""Columns of free text; a score such as 1+ begins with a digit, so no spreadsheet takes it for a formula."""


def calls_columns(calls: Iterable[CallDoc]) -> dict[str, object]:
    """Give the calls as the columns of the table `CALLS`, in the given order."""
    rows = [_row(call) for call in calls]
    return {name: [row[name] for row in rows] for name in COLUMNS}


def calls_csv(calls: Iterable[CallDoc]) -> str:
    """Write the calls as the text of `calls.csv`, in the given order."""
    target = io.StringIO(newline="")
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for call in calls:
        row = _row(call)
        writer.writerow(guarded(_cell(row[name])) if name in _TEXTS else _cell(row[name]) for name in COLUMNS)
    return target.getvalue()


def _row(call: CallDoc) -> dict[str, object]:
    stable = call.stability
    return {
        "case_id": call.case_id,
        "status": call.status,
        "state": str(call.state),
        "ihc_score": None if call.ihc_score is None else str(call.ihc_score),
        "her2_category": call.her2_category,
        "ish_group": call.ish_group,
        "guideline": call.guideline,
        **{name: call.ihc.get(name) for name in _IHC},
        **{name: call.ish.get(name) for name in _ISH},
        "another_result": None if stable is None or stable.nuclei_alike else stable.another_result,
        "comments": [comment.code for comment in call.comments],
        "flags": list(call.flags),
        "reason": " | ".join(reason_sentences(call)) or None,
    }


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ";".join(value)
    # repr gives the shortest digits that read back as the same number.
    return repr(value) if isinstance(value, float) else str(value)
