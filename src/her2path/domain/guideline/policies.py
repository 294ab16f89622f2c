"""What every guideline leaves open and her2path had to decide: the named policies.

The numbers are those of the list on `docs/guidelines/policies.md`.  A rule that rests on one has
a source that begins with "her2path policy".
"""

from __future__ import annotations

from fractions import Fraction

from her2path.domain.case import Specimen
from her2path.domain.guideline.conditions import Quantity
from her2path.domain.guideline.quantities import ihc_fact
from her2path.domain.guideline.rules import POLICY, Rule
from her2path.domain.ihc import IhcReading, Reactivity, TallyUnit
from her2path.domain.verdict import NotEvaluable

MIN_CELLS = 20
"""Fewest tumour cells for a score (P13): among 20, one cell more or less is half the 10 % cut."""
FEW_CELLS = 100
"""Below it the flag `few_cells` (P13): 10 of 100 cells has a 95 % interval of 5.5 to 17.4 %."""
MAX_BLANK = Fraction(1, 10)
"""A limit of blank that reaches the 10 % cut makes 0 and 1+ one and the same (P14)."""
CLUSTER_CELLS = 5
"""Fewest stained cells side by side that count in a biopsy of stomach or oesophagus."""

_CELLS: Quantity[IhcReading] = Quantity(
    "scored_cells", "scored tumour cells", "cells", lambda r: r.tally.total, lambda _: 1
)
_COUNTED = ihc_fact("cells were counted one by one", lambda r: r.unit is TallyUnit.CELLS)

UNREADABLE: tuple[Rule[IhcReading, NotEvaluable], ...] = (
    Rule(
        "IHC-NO-CELLS",
        f"{POLICY} P13: fewest cells for a score",
        _CELLS <= 0,
        NotEvaluable("no_tumour_cells", "no tumour cell was scored; check the tumour region and the stain"),
    ),
    Rule(
        "IHC-TOO-FEW-CELLS",
        f"{POLICY} P13: fewest cells for a score",
        _COUNTED & (_CELLS > 0) & (_CELLS < MIN_CELLS),
        NotEvaluable(
            "too_few_tumour_cells",
            f"fewer than {MIN_CELLS} tumour cells were scored, so a percentage means nothing; "
            "check the tumour region or use another specimen",
        ),
    ),
    Rule(
        "IHC-LIMIT-OF-BLANK",
        f"{POLICY} P14: a limit of blank below the 10 % cut",
        ihc_fact("the limit of blank is 10 % or more", lambda r: r.limit_of_blank >= MAX_BLANK),
        NotEvaluable(
            "limit_of_blank",
            "the limit of blank of this calibration reaches the 10 % cut, so 0 and 1+ cannot be told apart; "
            "calibrate the assay again",
        ),
    ),
)
"""Reasons why there is nothing to read by any guideline."""


SPECIMEN_NOT_COVERED: Rule[IhcReading, NotEvaluable] = Rule(
    "IHC-SPECIMEN-NOT-COVERED",
    f"{POLICY} P18: a guideline that reads biopsies otherwise must be told the specimen",
    ihc_fact("the specimen is a cytology", lambda r: r.specimen is Specimen.CYTOLOGY),
    NotEvaluable(
        "specimen_not_covered",
        "this guideline scores resections and biopsies, and her2path knows no rule for cytology",
    ),
)
SPECIMEN_KNOWN: tuple[Rule[IhcReading, NotEvaluable], ...] = (
    Rule(
        "IHC-SPECIMEN-NOT-STATED",
        f"{POLICY} P18: a guideline that reads biopsies otherwise must be told the specimen",
        ihc_fact("the kind of specimen is not stated", lambda r: r.specimen is None),
        NotEvaluable(
            "specimen_not_stated",
            "this guideline reads a biopsy otherwise than a resection; say in `specimen` which it is",
        ),
    ),
    SPECIMEN_NOT_COVERED,
)
"""For guidelines that tell resection and biopsy apart."""


def _is_cluster_open(reading: IhcReading) -> bool:
    """Whether a biopsy's score hangs on a cluster size that nobody stated."""
    if reading.specimen is not Specimen.BIOPSY:
        return False
    for level in (Reactivity.STRONG, Reactivity.WEAK_MODERATE, Reactivity.FAINT):
        cells = reading.largest_cluster(level)
        if cells is None:
            return True
        if cells >= CLUSTER_CELLS:
            return False
    return False


CLUSTER_KNOWN: Rule[IhcReading, NotEvaluable] = Rule(
    "IHC-CLUSTER-NOT-STATED",
    f"{POLICY} P18: the score of a biopsy hangs on clusters of {CLUSTER_CELLS} stained cells",
    ihc_fact("a stained biopsy without the size of its clusters", _is_cluster_open),
    NotEvaluable(
        "cluster_not_stated",
        f"in a biopsy a cluster of {CLUSTER_CELLS} stained cells decides whatever the percentage; say in "
        "`cluster_cells` how many cells the largest one has (`cluster_cells_strong`, "
        "`cluster_cells_weak_moderate`, `cluster_cells_faint` where the staining is mixed)",
    ),
)
