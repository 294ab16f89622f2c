from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from her2path.domain.case import Controls, Specimen, SpecimenFacts, TumourSite
from her2path.domain.decision import CaseCall, CaseEvidence, call_case
from her2path.domain.explanation import explain
from her2path.domain.guideline.registry import GUIDELINES
from her2path.domain.ihc import IhcScore, StatedScore
from her2path.domain.ish import IshReading, NucleusSignals, SignalSummary
from her2path.domain.populations import SecondPopulation
from her2path.domain.verdict import NotEvaluable
from her2path.io import calls
from her2path.io.call_entries import HeterogeneityEntry, PopulationEntry, Reason, SpecimenEntry
from her2path.io.documents import CallDoc, Producer, read_document, write_document

MAKER = Producer(step="test", version="0")
ONE_PLUS = StatedScore(IhcScore.ONE_PLUS, Controls.PASS)
MIXED = [NucleusSignals(9, 3)] * 6 + [NucleusSignals(3, 3)] * 14


def count(her2: int, cep17: int, nuclei: int = 20) -> IshReading:
    return IshReading(SignalSummary(nuclei, her2, cep17), areas=2, controls=Controls.PASS)


def written(
    tmp_path: Path,
    guideline: str = "breast_2018",
    nuclei: tuple[NucleusSignals, ...] = (),
    head: calls.CallHead | None = None,
    **evidence: object,
) -> CallDoc:
    """Call a case, write the document and read it again."""
    case = CaseEvidence(**evidence)  # type: ignore[arg-type]
    chosen = GUIDELINES[guideline]
    call = call_case(case, chosen)
    assert isinstance(call, CaseCall)
    head = head or calls.CallHead(case_id="c1", guideline=guideline, produced_by=MAKER)
    path = tmp_path / "call.json"
    write_document(path, calls.evaluated(call, head, explain(case, chosen, nuclei)))
    return read_document(path, CallDoc)


def test_each_rule_is_written_with_its_condition_in_words(tmp_path):
    trail = written(tmp_path, ihc=ONE_PLUS, ish=count(60, 28)).rule_trail

    assert [(entry.rule_id, entry.condition) for entry in trail] == [
        ("IHC-STATED", ""),
        ("ISH-G2", "HER2/CEP17 ratio ≥ 2.0 and HER2 copies per nucleus < 4.0"),
        ("CALL-G2-IHC-LOW", "IHC 1+, ISH group 2"),
    ]


def test_what_other_versions_say_is_written_with_the_codes_of_their_comments(tmp_path):
    versions = written(tmp_path, ihc=ONE_PLUS, ish=count(60, 28)).other_versions

    found = {v.guideline: (v.state, v.ish_group, v.differs, v.reason) for v in versions}
    assert found["breast_2013"] == ("positive", "2", True, None)
    assert found["breast_2023"] == ("negative", "2", False, None)
    assert "G2" in versions[-1].comments


def test_a_version_that_says_nothing_is_written_with_its_reason(tmp_path):
    versions = written(tmp_path, "colorectal_harmonised_2019", ihc=ONE_PLUS).other_versions

    assert [(v.guideline, v.state, v.reason_code) for v in versions] == [
        ("colorectal_heracles_2015", "negative", None)
    ]
    three_plus = StatedScore(IhcScore.THREE_PLUS, Controls.PASS)
    (version,) = written(tmp_path, "colorectal_harmonised_2019", ihc=three_plus).other_versions
    assert (version.state, version.reason_code, version.ihc_score) == (
        "not_evaluable",
        "extent_not_stated",
        None,
    )
    assert version.reason is not None
    assert "percentages" in version.reason


def test_the_stability_of_typed_totals_is_written_with_its_basis_and_margins(tmp_path):
    call = written(tmp_path, ish=count(80, 40))

    assert call.stability is not None
    assert (call.stability.basis, call.stability.finding, call.stability.nuclei) == ("poisson", "1", 20)
    assert set(call.stability.probabilities) == {"1", "2", "3", "4", "5"}
    assert sum(call.stability.probabilities.values()) == pytest.approx(1, abs=1e-9)
    assert 0.5 < call.stability.another_result <= 1
    assert [(m.counted, m.change, m.finding) for m in call.stability.margin] == [
        ("her2_signals", -1, "5"),
        ("cep17_signals", 1, "4"),
    ]
    assert (call.no_stability, call.heterogeneity_2009) == (None, None)


def test_a_count_that_cannot_be_read_is_written_with_the_reason_instead_of_a_stability(tmp_path):
    call = written(tmp_path, ihc=ONE_PLUS, ish=count(40, 20, nuclei=10))

    assert call.stability is None
    assert call.no_stability is not None
    assert call.no_stability.code == "count_not_readable"
    assert "fewer than 20 nuclei" in call.no_stability.reason


def test_ihc_alone_has_neither_a_stability_nor_a_reason(tmp_path):
    call = written(tmp_path, ihc=ONE_PLUS)

    assert (call.stability, call.no_stability) == (None, None)


def test_heterogeneous_nuclei_are_written_and_flagged_in_order(tmp_path):
    head = calls.CallHead(case_id="c1", guideline="breast_2018", produced_by=MAKER, flags=("clusters",))
    summary = SignalSummary.of(MIXED)

    call = written(
        tmp_path,
        nuclei=tuple(MIXED),
        head=head,
        ihc=ONE_PLUS,
        ish=IshReading(summary, areas=2, controls=Controls.PASS),
    )

    assert call.heterogeneity_2009 == HeterogeneityEntry(share_pct=30.0, heterogeneous=True)
    assert {"clusters", "heterogeneous_2009"} <= set(call.flags)
    assert list(call.flags) == sorted(call.flags)


def test_nuclei_that_are_alike_are_written_without_a_flag(tmp_path):
    call = written(tmp_path, nuclei=(NucleusSignals(3, 3),) * 20, ish=count(60, 60))

    assert call.heterogeneity_2009 == HeterogeneityEntry(share_pct=0.0, heterogeneous=False)
    assert "heterogeneous_2009" not in call.flags


def test_two_populations_are_written_as_two_results(tmp_path):
    second = SecondPopulation(Fraction(12, 100), count(160, 40))

    call = written(tmp_path, ish=count(40, 40), second=second)

    main, other = call.populations
    assert (call.state, "two_populations" in call.flags) == ("positive", True)
    assert (main.population, main.share_pct, main.state, main.ish_group) == ("main", 88.0, "negative", "5")
    assert (other.population, other.share_pct, other.state, other.ish_group) == (
        "second",
        12.0,
        "positive",
        "1",
    )
    assert [entry.rule_id for entry in other.rule_trail] == ["ISH-G1", "CALL-G1"]


def test_each_population_is_written_with_its_own_numbers_distances_and_stability(tmp_path):
    second = SecondPopulation(Fraction(12, 100), count(80, 40))

    call = written(tmp_path, ish=count(40, 40), second=second)

    main, other = call.populations
    assert (main.stability, main.distance_to_cut) == (call.stability, call.distance_to_cut)
    assert (main.ish["her2_signals"], other.ish["her2_signals"]) == (40, 80)
    assert [d.distance for d in other.distance_to_cut] == [0.0, 0.0, -2.0]
    assert other.stability is not None
    assert (other.stability.finding, other.stability.another_result > 0.5) == ("1", True)
    assert [(m.counted, m.change) for m in other.stability.margin] == [
        ("her2_signals", -1),
        ("cep17_signals", 1),
    ]


def test_a_second_count_that_cannot_be_read_is_written_with_the_reason(tmp_path):
    second = SecondPopulation(Fraction(12, 100), count(20, 10, nuclei=10))

    other = written(tmp_path, ish=count(40, 40), second=second).populations[1]

    assert other.stability is None
    assert other.no_stability is not None
    assert "fewer than 20 nuclei" in other.no_stability.reason
    with pytest.raises(ValueError, match="never both"):
        PopulationEntry.model_validate(
            other.model_dump() | {"stability": written(tmp_path, ish=count(80, 40)).stability}
        )


@pytest.mark.parametrize(
    ("share", "written_as"),
    [
        pytest.param("0.1000000000000000001", (89.99999999999999, 10.000000000000002), id="a trace above"),
        pytest.param("0.11", (89.0, 11.0), id="away from the cut"),
    ],
)
def test_a_share_above_the_cut_is_never_written_as_the_cut(tmp_path, share, written_as):
    call = written(tmp_path, ish=count(40, 40), second=SecondPopulation(Fraction(share)))

    assert tuple(one.share_pct for one in call.populations) == written_as


def test_nuclei_without_a_difference_are_written_as_alike(tmp_path):
    alike = written(tmp_path, nuclei=(NucleusSignals(4, 2),) * 20, ish=count(80, 40)).stability
    mixed = (NucleusSignals(4, 2),) * 18 + (NucleusSignals(5, 2), NucleusSignals(3, 2))
    differing = written(tmp_path, nuclei=mixed, ish=count(80, 40)).stability

    assert alike is not None
    assert differing is not None
    assert (alike.nuclei_alike, differing.nuclei_alike) == (True, False)


def test_a_population_that_was_not_counted_is_written_with_what_must_be_done(tmp_path):
    call = written(tmp_path, ish=count(40, 40), second=SecondPopulation(Fraction(12, 100)))

    other = call.populations[1]
    assert (other.state, other.ish_group) == ("needs_recount", None)
    assert [comment.code for comment in other.comments] == ["ACT-COUNT-SECOND"]


@pytest.mark.parametrize(
    ("facts", "kind", "expected"),
    [
        pytest.param(SpecimenFacts(), None, SpecimenEntry(), id="nothing stated"),
        pytest.param(
            SpecimenFacts(TumourSite.BREAST, Fraction("7.5"), Fraction(0)),
            Specimen.BIOPSY,
            SpecimenEntry(site="breast", kind="biopsy", fixation_hours=7.5, cold_ischaemia_minutes=0.0),
            id="all stated, no minute lost",
        ),
    ],
)
def test_what_was_stated_of_the_specimen_is_written_whether_there_is_a_call_or_not(
    tmp_path, facts, kind, expected
):
    head = calls.CallHead(
        case_id="c1",
        guideline="breast_2018",
        produced_by=MAKER,
        specimen=calls.specimen_entry(facts, kind),
    )

    assert written(tmp_path, head=head, ihc=ONE_PLUS).specimen == expected
    lost = calls.not_evaluable({"i1": NotEvaluable("no_tissue", "no tissue was found")}, head)
    assert lost.specimen == expected
    assert lost.reasons == {"i1": Reason(code="no_tissue", reason="no tissue was found")}


def test_a_document_holds_a_stability_or_the_reason_why_there_is_none(tmp_path):
    call = written(tmp_path, ish=count(80, 40))
    reason = Reason(code="count_not_readable", reason="too few nuclei")

    with pytest.raises(ValueError, match="never both"):
        CallDoc.model_validate(call.model_dump() | {"no_stability": reason})
