"""The rows of `tests/golden/vectors.csv`: every guideline that exists must come out as expected."""

from __future__ import annotations

import csv
import re
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from her2path.domain.decision import CaseCall, CaseEvidence, call_case
from her2path.domain.guideline.definition import CommentKind
from her2path.domain.guideline.registry import GUIDELINES
from her2path.domain.ihc import IhcReading, StainingClass, TallyUnit, tally_of_percentages
from her2path.domain.ish import IshReading, SignalSummary

VECTORS = Path(__file__).parents[2] / "golden" / "vectors.csv"
ROWS = list(csv.DictReader(VECTORS.read_text(encoding="utf-8").splitlines()))
KNOWN = [row for row in ROWS if row["guideline"] in GUIDELINES]
OTHERS = Counter(row["guideline"] for row in ROWS if row["guideline"] not in GUIDELINES)
NA = "na"


def _ihc(row: dict[str, str]) -> IhcReading | None:
    typed = {name: row[f"pct_{name}"] for name in StainingClass}
    if not any(typed.values()):
        return None
    tally = tally_of_percentages({name: Decimal(text) for name, text in typed.items()})
    return IhcReading(tally, unit=TallyUnit.SHARES)


def _count(nuclei: int, her2_mean: str, cep17_mean: str) -> IshReading:
    # Means come from whole signals, so the nearest integer gives them back.
    cep17 = round(Decimal(cep17_mean) * nuclei) if cep17_mean else None
    return IshReading(SignalSummary(nuclei, round(Decimal(her2_mean) * nuclei), cep17))


def _recounted_nuclei(row: dict[str, str], nuclei: int) -> int:
    stated = re.search(r"\[recount_n=(\d+)\]", row["note"])
    if stated:
        return int(stated[1])
    # Where it is not stated: the fewest nuclei, from the first count's upwards, that give whole signals.
    means = (Decimal(row["recount_mean_her2"]), Decimal(row["recount_mean_cep17"]))
    return next(n for n in range(nuclei, 10_000) if all((n * mean) % 1 == 0 for mean in means))


def _evidence(row: dict[str, str]) -> CaseEvidence:
    ish = recount = None
    if row["probe"] != "none":
        nuclei = int(row["n_nuclei"])
        ish = _count(nuclei, row["mean_her2"], row["mean_cep17"])
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


@pytest.mark.parametrize("row", KNOWN, ids=lambda row: row["id"])
def test_every_expected_column_comes_out(row):
    call = call_case(_evidence(row), GUIDELINES[row["guideline"]])

    assert isinstance(call, CaseCall)
    assert _summary(call) == {name: row[name] for name in row if name.startswith("expected_")}


@pytest.mark.parametrize(
    "row", [row for row in KNOWN if row["policy"] == "y"], ids=lambda row: f"{row['id']} by policy"
)
def test_a_policy_is_owned_up_to(row):
    call = call_case(_evidence(row), GUIDELINES[row["guideline"]])

    assert isinstance(call, CaseCall)
    assert "policy" in call.flags
    assert any(step.source.startswith("her2path policy P") for step in call.trail)


def test_the_known_guidelines_are_covered():
    assert Counter(row["guideline"] for row in KNOWN) == {"breast_2018": 106, "breast_2023": 14}


@pytest.mark.parametrize("guideline", sorted(OTHERS))
def test_rows_of_guidelines_to_come(guideline):
    pytest.skip(f"{OTHERS[guideline]} rows wait for guideline {guideline!r}")
