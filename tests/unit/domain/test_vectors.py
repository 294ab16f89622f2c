"""The rows of `tests/golden/vectors.csv`: all must come out as expected."""

from __future__ import annotations

import csv
import re
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from her2path.domain.case import Specimen
from her2path.domain.decision import CaseCall, CaseEvidence, call_case
from her2path.domain.guideline.definition import CommentKind
from her2path.domain.guideline.registry import GUIDELINES
from her2path.domain.ihc import (
    IhcReading,
    Intensity,
    Reactivity,
    StainingClass,
    TallyUnit,
    tally_of_percentages,
)
from her2path.domain.ish import IshReading, SignalSummary

VECTORS = Path(__file__).parents[2] / "golden" / "vectors.csv"
ROWS = list(csv.DictReader(VECTORS.read_text(encoding="utf-8").splitlines()))
NA = "na"


LEVEL_OF = {
    "complete_intense": Reactivity.STRONG,
    "complete_weak_moderate": Reactivity.WEAK_MODERATE,
    "incomplete_faint": Reactivity.FAINT,
}


def _tag(row: dict[str, str], name: str) -> str | None:
    found = re.search(rf"\[{name}=([a-z0-9.]+)\]", row["note"])
    return None if found is None else found[1]


def _ihc(row: dict[str, str]) -> IhcReading | None:
    typed = {name: row[f"pct_{name}"] for name in StainingClass}
    if not any(typed.values()):
        return None
    tally = tally_of_percentages(
        {name: Decimal(text) for name, text in typed.items()},
        incomplete=Intensity(_tag(row, "incomplete_intensity") or "moderate"),
    )
    cluster = _tag(row, "cluster_cells")
    clusters = None
    if cluster is not None:
        # Each such row has one kind of staining, so the cluster is one of every weaker level too.
        (level,) = [LEVEL_OF[name] for name in LEVEL_OF if Decimal(typed[StainingClass(name)])]
        clusters = {name: int(cluster) for name in list(Reactivity)[list(Reactivity).index(level) : 3]}
    return IhcReading(
        tally,
        unit=TallyUnit.SHARES,
        specimen=None if row["specimen"] == NA else Specimen(row["specimen"]),
        clusters=clusters,
    )


def _count(nuclei: int, her2_mean: str, cep17_mean: str, share: str | None = None) -> IshReading:
    # Means come from whole signals, so the nearest integer gives them back.
    cep17 = round(Decimal(cep17_mean) * nuclei) if cep17_mean else None
    return IshReading(
        SignalSummary(nuclei, round(Decimal(her2_mean) * nuclei), cep17),
        share_ratio_at_least_2=None if share is None else Fraction(share) / 100,
    )


def _recounted_nuclei(row: dict[str, str], nuclei: int) -> int:
    if stated := _tag(row, "recount_n"):
        return int(stated)
    # Where it is not stated: the fewest nuclei, from the first count's upwards, that give whole signals.
    means = (Decimal(row["recount_mean_her2"]), Decimal(row["recount_mean_cep17"]))
    return next(n for n in range(nuclei, 10_000) if all((n * mean) % 1 == 0 for mean in means))


def _evidence(row: dict[str, str]) -> CaseEvidence:
    ish = recount = None
    if row["probe"] != "none":
        nuclei = int(row["n_nuclei"])
        ish = _count(nuclei, row["mean_her2"], row["mean_cep17"], _tag(row, "pct_cells_ratio_ge2"))
        if row["recount_available"] == "y":
            recounted = _recounted_nuclei(row, nuclei)
            recount = _count(recounted, row["recount_mean_her2"], row["recount_mean_cep17"])
    return CaseEvidence(ihc=_ihc(row), ish=ish, recount=recount)


def _summary(call: CaseCall) -> dict[str, str]:
    mandatory = any(comment.kind is CommentKind.MANDATORY for comment in call.comments)
    return {
        "expected_ihc_score": str(call.ihc_score or NA),
        "expected_ish_group": str(call.ish_group or NA),
        "expected_final_call": str(call.state),
        "expected_her2_category": str(call.category or NA),
        "expected_comment_required": "y" if mandatory else "n",
    }


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_every_expected_column_comes_out(row):
    call = call_case(_evidence(row), GUIDELINES[row["guideline"]])

    assert isinstance(call, CaseCall)
    assert _summary(call) == {name: row[name] for name in row if name.startswith("expected_")}


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row["policy"] == "y"], ids=lambda row: f"{row['id']} by policy"
)
def test_a_policy_is_owned_up_to(row):
    call = call_case(_evidence(row), GUIDELINES[row["guideline"]])

    assert isinstance(call, CaseCall)
    assert "policy" in call.flags
    assert any(step.source.startswith("her2path policy P") for step in call.trail)


def test_every_row_belongs_to_a_known_guideline_and_every_guideline_has_rows():
    assert len(ROWS) == 220
    assert {row["guideline"] for row in ROWS} == set(GUIDELINES)
