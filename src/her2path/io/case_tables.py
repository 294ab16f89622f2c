"""Tables of cases and of reads: their schemas."""

from __future__ import annotations

import pyarrow as pa

from her2path.domain.ihc import StainingClass
from her2path.io.tables import WORD, column, measured, table_schema

_PERCENTAGES = tuple(f"pct_{name}" for name in StainingClass)

CALLS = table_schema(
    "calls",
    1,
    column("case_id", pa.string()),
    # evaluated or not_evaluable.
    column("status", WORD),
    # The call, or what it waits for; as in `call.json`.
    column("state", WORD),
    # The word null is a category (an overlay), and no entry means that it cannot be told.
    *measured(WORD, "ihc_score", "her2_category", "ish_group"),
    column("guideline", WORD),
    *measured(pa.int64(), "scored_cells"),
    *measured(pa.float64(), "h_score", *_PERCENTAGES),
    # First count, all fields, of the main population.
    *measured(pa.int64(), "nuclei", "her2_signals", "cep17_signals"),
    *measured(pa.float64(), "her2_mean", "cep17_mean", "her2_cep17_ratio"),
    # Probability (0 to 1) that another count gives another ISH result; null where nothing tells it.
    column("another_result", pa.float64(), null=True),
    # Codes.
    column("comments", pa.list_(pa.string())),
    column("flags", pa.list_(pa.string())),
    # Why there is no result.
    column("reason", pa.string(), null=True),
)
"""One row per case in the order of the case sheet; `calls.csv` says the same as text."""

QA_READS = table_schema(
    "qa_reads",
    1,
    column("case_id", pa.string()),
    # Pseudonym; `her2path` is the software.
    column("reader", pa.string()),
    column("is_software", pa.bool_()),
    # 1 = first read of the case by this reader.
    column("session", pa.int16()),
    column("read_on", pa.date32(), null=True),
    # 0, 1+, 2+, 3+; null = not read, or not to be told from what was read.
    column("ihc_score", pa.string(), null=True),
    # False where the score follows from the percentages by the guideline; null without a score.
    column("score_stated", pa.bool_(), null=True),
    # 0, ultralow, low, positive (`domain.reads.ClinicalCategory`); null = there is none yet.
    column("category", pa.string(), null=True),
    *measured(pa.float64(), *_PERCENTAGES),
    *measured(pa.int32(), "her2_signals", "cep17_signals", "nuclei"),
    # As in `call.json`; null = no ISH to read.
    column("ish_group", pa.string(), null=True),
    # A state of `call.json`, or not_evaluable; null = nothing to call.
    column("call", pa.string(), null=True),
    # False where the call follows from score and counts by the guideline; null without a call.
    column("call_stated", pa.bool_(), null=True),
    # What of the read contradicts the rest of it by the guideline; null = nothing.
    column("contradiction", pa.string(), null=True),
    column("comment", pa.string()),
    column("guideline", pa.string()),
    # Strata of the case; null = not stated.
    column("site", pa.string(), null=True),
    column("scanner", pa.string(), null=True),
    column("clone", pa.string(), null=True),
    column("batch", pa.string(), null=True),
    column("specimen", pa.string(), null=True),
    column("stained_on", pa.date32(), null=True),
)
"""One row per read, the software's calls among them, sorted by case, reader and session."""
