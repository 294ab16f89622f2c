"""Documents of monitoring and of the discordance review for tests of the page."""

from __future__ import annotations

from her2path.domain.discordance import REASONS, TITLES, Discordance
from her2path.domain.ihc import StainingClass
from her2path.domain.stats.estimate import Estimate
from her2path.io.call_entries import Distance, TrailEntry
from her2path.io.qa_documents import EstimateEntry
from her2path.io.qa_monitoring_entries import (
    BaselineEntry,
    BatchEntry,
    ChartEntry,
    LimitEntry,
    MonitoringAlarm,
    MonitoringDoc,
    MonitoringResult,
    NoChartEntry,
    PanelEntry,
    PointsOverTime,
    RateEntry,
)
from her2path.io.qa_review_entries import (
    AdjudicationEntry,
    AdjudicationSummary,
    DiscordantCase,
    EvidenceEntry,
    OpinionEntry,
    RankedCase,
    RereadOpinion,
    RereadSummary,
    ReviewDoc,
    ReviewResult,
    WeightEntry,
)
from tests.support.pages import Page
from tests.support.qa_results import PRODUCER

RUNS = 12


def chart(chart_id: str = "od", *, alarms: tuple[int | None, ...] = (), **changes: object) -> ChartEntry:
    """Build a Levey-Jennings chart of twelve runs, the first eight its baseline."""
    numbers = (*alarms, *(None,) * RUNS)[:RUNS]
    labels = tuple(f"run_{i:02d}" for i in range(RUNS))
    points = PointsOverTime(
        label=labels,
        on=tuple(f"2026-01-{i + 1:02d}" for i in range(RUNS)),
        value=tuple(0.5 + 0.01 * (i % 3) for i in range(RUNS)),
        phase=("baseline",) * 8 + ("judged",) * 4,
        alarms=tuple(() if number is None else (number,) for number in numbers),
    )
    made = ChartEntry(
        chart_id=chart_id,
        kind="levey_jennings",
        title=f"Control {chart_id}",
        quantity="membrane OD",
        measure="dab_od",
        stratum={"scanner": "S1"},
        control="3+",
        centre=0.5,
        limits=(LimitEntry(label="+3 SD", values=(0.56,)), LimitEntry(label="-3 SD", values=(0.44,))),
        points=points,
        baseline=BaselineEntry(points=8, first=labels[0], last=labels[7], mean=0.5, sd=0.02),
    )
    return made.model_copy(update=changes)


def alarm(
    number: int = 1, *, rule: str = "1-3s", warning: bool = False, **changes: object
) -> MonitoringAlarm:
    """Build an alarm of the chart `od` that two cases take part in."""
    made = MonitoringAlarm(
        number=number,
        chart_id="od",
        rule=rule,
        is_warning=warning,
        side="above",
        measure="dab_od",
        stratum={"scanner": "S1"},
        controls=("3+",),
        at="run_09",
        on="2026-01-10",
        runs=("run_09",),
        case_ids=("c1", "c2"),
        cases=2,
        text="3+, scanner S1: one value beyond 3 SD (run_09: +3.4 SD)",
    )
    return made.model_copy(update=changes)


def monitoring(**changes: object) -> MonitoringResult:
    """Build a result with one chart, one alarm and one warning."""
    rate = RateEntry(rule="Westgard", run_length=None, false_alarms_pct=12.5, seen_pct=96.0)
    result = MonitoringResult(
        runs=RUNS,
        cases=40,
        charts=(chart(alarms=(None,) * 9 + (1, 2)),),
        panels=(
            PanelEntry(
                panel_id="p1",
                measure="dab_od",
                stratum={"scanner": "S1"},
                controls=("3+",),
                baseline_runs=8,
                judged_runs=4,
                correlation=0.0,
                slack=0.5,
                decision=4.8,
                weight=0.2,
                ewma_limit=2.9,
                rates=(rate,),
                batches=(
                    BatchEntry(batch="L2", runs=4, shift=1.5, low=0.8, high=2.2, p_value=0.002, alarm=True),
                ),
            ),
        ),
        alarms=(alarm(), alarm(2, rule="1-2s", warning=True)),
        no_charts=(
            NoChartEntry(
                what="Score 3+ by week",
                measure="share_3+",
                stratum={},
                code="too_few_cases",
                reason="the baseline has 40 of the 100 cases that a chart of shares needs",
                points=6,
            ),
        ),
        false_alarm_runs=370.0,
        seed=7,
    )
    return result.model_copy(update=changes)


def monitoring_doc(result: MonitoringResult | None = None) -> MonitoringDoc:
    """Wrap a result into its document."""
    return MonitoringDoc(produced_by=PRODUCER, result=monitoring() if result is None else result)


def opinion(reader: str, score: str, **changes: object) -> OpinionEntry:
    """Build a first read."""
    made = OpinionEntry(
        reader=reader,
        is_software=reader == "her2path",
        session=1,
        read_on=None,
        differs=None,
        ihc_score=score,
    )
    return made.model_copy(update=changes)


def discordant_case(**changes: object) -> DiscordantCase:
    """Build a case that software and a reader put on two sides of positive."""
    evidence = EvidenceEntry(
        rule_trail=(
            TrailEntry(rule_id="IHC-2+", source="CAP", conclusion="2+", condition="weak to moderate"),
        ),
        distance_to_cut=(
            Distance(quantity="pct_complete", value=12.0, cut=10.0, distance=2.0, unit="% of cells"),
        ),
        flags=("tumour_automatic",),
        ihc={"h_score": 120.0},
        ish={},
        files={"report": ("cases/c7/report.html",)},
    )
    made = DiscordantCase(
        rank=1,
        case_id="c7",
        kind=Discordance.OPPOSITE_CALL,
        against_software=True,
        differing=1,
        opinions=(
            opinion("her2path", "2+", her2_signals=100, cep17_signals=40, nuclei=20, call="positive"),
            opinion(
                "r1",
                "1+",
                call="negative",
                differs=Discordance.OPPOSITE_CALL,
                comment="<b>faint</b> שלום",
                percentages={
                    StainingClass.NONE: 80.0,
                    StainingClass.INCOMPLETE_FAINT: 0.0,
                    StainingClass.COMPLETE_INTENSE: 20.0,
                },
            ),
        ),
        evidence=evidence,
        rereads=(
            RereadOpinion(
                list_id="list1", number=3, reader="r1", read_on="2026-03-01", blinded=True, ihc_score="2+"
            ),
        ),
    )
    return made.model_copy(update=changes)


ADJUDICATION = AdjudicationEntry(
    number=1,
    case_id="c7",
    by="chair",
    decided_on="2026-04-01",
    ihc_score="2+",
    call="positive",
    why="FISH amplified",
)


def review(**changes: object) -> ReviewResult:
    """Build a review of two discordant cases."""
    again = EstimateEntry.of(Estimate(0.9, 0.6, 0.98, "Wilson", n=10))
    further = RankedCase(
        rank=2, case_id="c9", kind=Discordance.ADJACENT_SCORE, against_software=False, differing=1
    )
    result = ReviewResult(
        weights=tuple(
            WeightEntry(kind=kind, title=TITLES[kind], reason=REASONS[kind], cases=kind == "opposite_call")
            for kind in Discordance
        ),
        compared=40,
        concordant=38,
        discordant=2,
        cases=(discordant_case(),),
        further=(further,),
        rereads=(
            RereadSummary(
                list_id="list1",
                reader="r1",
                read_on="2026-03-01",
                blinded=True,
                cases=12,
                not_read=0,
                repeats_agree=again,
                discordant_cases=2,
                keeps_first=1,
                read_before=2,
                takes_software=1,
                fewest_days=21,
            ),
        ),
        adjudications=(ADJUDICATION,),
        after_adjudication=AdjudicationSummary(
            cases=1,
            software=1,
            all_readers=0,
            some_readers=0,
            neither=0,
            pending=1,
            text="No agreement is worked out from decisions.",
        ),
    )
    return result.model_copy(update=changes)


def review_doc(result: ReviewResult | None = None) -> ReviewDoc:
    """Wrap a result into its document."""
    return ReviewDoc(produced_by=PRODUCER, result=review() if result is None else result)


def section_text(html: str, anchor: str) -> str:
    """Give the words of one section of a page."""
    start = html.index(f'<section id="{anchor}"')
    end = html.index("</section>", start) + len("</section>")
    return Page(html[start:end]).text
