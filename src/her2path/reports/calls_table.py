"""`calls.csv`: one row per case, for spreadsheets and statistics.

RFC 4180 (commas, CRLF, quotes doubled), UTF-8 without a byte-order mark.  An empty cell means
"not measured".  Numbers and scores stand as they are; free text that a spreadsheet would take for
a formula is preceded by an apostrophe.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from her2path.domain.ihc import StainingClass
from her2path.io.count_table import guarded
from her2path.io.documents import CallDoc
from her2path.reports.wording import reason_sentences

PCT_COLUMNS = tuple(f"pct_{name}" for name in StainingClass)
COLUMNS = (
    "case_id",
    "status",
    "state",
    "ihc_score",
    "her2_category",
    "ish_group",
    "guideline",
    "scored_cells",
    "h_score",
    *PCT_COLUMNS,
    "nuclei",
    "her2_signals",
    "cep17_signals",
    "her2_mean",
    "cep17_mean",
    "her2_cep17_ratio",
    "another_result",
    "comments",
    "flags",
    "reason",
)
_IHC = ("scored_cells", "h_score", *PCT_COLUMNS)
_ISH = ("nuclei", "her2_signals", "cep17_signals", "her2_mean", "cep17_mean", "her2_cep17_ratio")


def calls_csv(calls: Iterable[CallDoc]) -> str:
    """Write the calls as the text of `calls.csv`, in the given order."""
    target = io.StringIO(newline="")
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows(_row(call) for call in calls)
    return target.getvalue()


def _row(call: CallDoc) -> list[str]:
    stable = call.stability
    cells: dict[str, object] = {
        "case_id": guarded(call.case_id),
        "status": call.status,
        "state": str(call.state),
        # A score such as 1+ begins with a digit, so no spreadsheet takes it for a formula.
        "ihc_score": call.ihc_score,
        "her2_category": call.her2_category,
        "ish_group": call.ish_group,
        "guideline": call.guideline,
        **{name: call.ihc.get(name) for name in _IHC},
        **{name: call.ish.get(name) for name in _ISH},
        "another_result": None if stable is None or stable.nuclei_alike else stable.another_result,
        "comments": guarded(";".join(comment.code for comment in call.comments)),
        "flags": guarded(";".join(call.flags)),
        "reason": guarded(" | ".join(reason_sentences(call))),
    }
    return [_cell(cells[name]) for name in COLUMNS]


def _cell(value: object) -> str:
    if value is None:
        return ""
    # repr gives the shortest digits that read back as the same number.
    return repr(value) if isinstance(value, float) else str(value)
