"""Made-up reads, strata and control tissue for the synthetic cases: readers and runs that do not exist.

Reads follow from the truth of a case.  The second reader overlooks faint staining in the first session on
purpose, so that there is something to find; the control tissue darkens less with every run of its last
third, for the same reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from her2path.cli.phantom_ihc import GUIDELINE
from her2path.domain.case import Controls
from her2path.domain.decision import CaseCall, CaseEvidence, call_case
from her2path.domain.guideline.registry import find_guideline
from her2path.domain.ihc import IhcReading, IhcScore, IhcTally, StainingClass, StatedScore
from her2path.domain.ish import IshReading, SignalSummary
from her2path.domain.verdict import NotEvaluable
from her2path.errors import Her2PathError

READERS = ("reader_1", "reader_2")
SESSIONS = (1, 2)
_READ_NUCLEI = 20
_STEP_PCT = 5
"""People estimate percentages in steps of five."""
_OVERLOOKED_PCT = 5
_SITES, _SCANNERS, _CLONES = ("north", "south"), ("scanner_1", "scanner_2"), ("clone_A", "clone_B")
_FIRST_RUN = date(2025, 6, 2)
_RUNS, _STEADY_RUNS = 60, 44
_CONTROLS = {"low": (0.21, 0.012, "1+"), "high": (0.62, 0.030, "3+")}
"""Optical density of the membranes on average, its scatter from run to run, and the score."""
_DRIFT_SD = 0.2
"""Loss with every run after the steady ones, in units of that scatter."""
_RUN_SEED = 20_260_110


@dataclass(frozen=True, slots=True)
class TrueCase:
    """What stands behind a synthetic case."""

    case_id: str
    seed: int
    areas: int
    score: IhcScore
    tally: IhcTally
    """What the tumour cells express."""
    counts: tuple[SignalSummary, ...]
    """Of the first fields, then of the others, as far as there are any."""


def called(ihc: IhcReading | StatedScore, counts: Sequence[IshReading]) -> CaseCall:
    """Call a case from its IHC and up to two counts."""
    first, second = [*counts, None, None][:2]
    call = call_case(CaseEvidence(ihc, first, second), find_guideline(GUIDELINE))
    if isinstance(call, NotEvaluable):
        raise Her2PathError(f"a sample cannot be called: {call.reason}")
    return call


def read_rows(cases: Sequence[TrueCase]) -> list[dict[str, object]]:
    """Make up what two readers wrote down in two sessions, as rows of `reads.tsv`."""
    return [_read(case, reader, session) for session in SESSIONS for case in cases for reader in READERS]


def _read(case: TrueCase, reader: str, session: int) -> dict[str, object]:
    score, shares, comment = case.score, _estimated(case.tally), "synthetic"
    if reader == READERS[1] and session == 1 and score is IhcScore.ONE_PLUS:
        score, comment = IhcScore.ZERO, "synthetic; faint staining overlooked on purpose"
        shares = {
            StainingClass.INCOMPLETE_FAINT: _OVERLOOKED_PCT,
            StainingClass.NONE: 100 - _OVERLOOKED_PCT,
        }
    counts = tuple(_scattered(total, reader, session, case.seed) for total in case.counts)
    readings = [IshReading(total, areas=case.areas, controls=Controls.PASS) for total in counts]
    first = counts[0] if counts else None
    return {
        "case_id": case.case_id,
        "reader": reader,
        "session": session,
        "date": f"2026-0{session}-{10 + READERS.index(reader)}",
        "ihc_score": score.value,
        **{f"pct_{name}": shares.get(name, 0) for name in StainingClass},
        "her2_signals": first and first.her2,
        "cep17_signals": first and first.cep17,
        "nuclei": first and first.nuclei,
        "call": called(StatedScore(score, Controls.PASS), readings).state.value,
        "comment": comment,
    }


def _estimated(tally: IhcTally) -> dict[StainingClass, int]:
    """Estimate percentages in steps of five; what is left is unstained."""
    stained = [name for name in StainingClass if name is not StainingClass.NONE]
    shares: dict[StainingClass, int] = {
        name: _STEP_PCT * round(100 * tally.of_class(name) / (tally.total * _STEP_PCT)) for name in stained
    }
    return shares | {StainingClass.NONE: 100 - sum(shares.values())}


def _scattered(total: SignalSummary, reader: str, session: int, seed: int) -> SignalSummary:
    """Count twenty nuclei of the same specimen: means as the truth, with the scatter of a sample."""
    rng = np.random.default_rng([seed, session, READERS.index(reader)])
    share = _READ_NUCLEI / total.nuclei
    her2, cep17 = (
        round(share * signals + rng.normal(0, 0.03 * share * signals))
        for signals in (total.her2, total.cep17 or 0)
    )
    return SignalSummary(_READ_NUCLEI, her2, cep17)


def strata_rows(case_ids: Sequence[str]) -> list[dict[str, object]]:
    """Make up where the cases were stained and scanned, as rows of `strata.tsv`."""
    return [
        {
            "case_id": case_id,
            "site": _SITES[number % 2],
            "scanner": _SCANNERS[number // 2 % 2],
            "clone": _CLONES[number // 4 % 2],
            "batch": f"batch_{1 + number // 3}",
            "specimen": "resection",
            "date": (date(2026, 1, 5) + timedelta(days=number // 3)).isoformat(),
        }
        for number, case_id in enumerate(case_ids)
    ]


def run_rows() -> list[dict[str, object]]:
    """Make up a series of two controls whose staining fades in the end, as rows of `runs.tsv`."""
    rng = np.random.default_rng(_RUN_SEED)
    rows: list[dict[str, object]] = []
    for number in range(_RUNS):
        for name, (mean, scatter, score) in _CONTROLS.items():
            faded = _DRIFT_SD * max(0, number + 1 - _STEADY_RUNS)
            rows.append(
                {
                    "run_id": f"run_{number + 1:02d}",
                    "date": (_FIRST_RUN + timedelta(days=4 * number)).isoformat(),
                    "scanner": _SCANNERS[number // 2 % 2],
                    "clone": _CLONES[0],
                    "batch": f"lot_{1 + number // 20}",
                    "control": name,
                    "dab_od": f"{mean + scatter * (rng.normal() - faded):.3f}",
                    "pct_stained": f"{np.clip(rng.normal(85, 3), 0, 100):.1f}",
                    "score": score,
                    "comment": "synthetic; fading on purpose" if faded else "synthetic",
                }
            )
    return rows
