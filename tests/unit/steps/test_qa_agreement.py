"""Software and readers are compared with each other, and what cannot be compared is listed."""

from __future__ import annotations

import pytest

from her2path.errors import ConfigError
from her2path.io.agreement import MOST_READERS, MOST_STRATUM_VALUES
from her2path.io.documents import read_document
from her2path.io.qa_documents import AgreementDoc
from her2path.steps import qa_agreement, qa_reads
from her2path.steps.qa_agreement import QaAgreementParams
from her2path.steps.qa_reads import QaReadsParams
from tests.support.simulated_reads import SimulatedStudy, write_study

FEW = 200
"""Drawings of the bootstrap: enough for a test that looks at no interval."""


def agreement(folder, *, strata=True, **params):
    """Run both steps in a folder that holds calls, reads and strata."""
    qa_reads.run(
        reads=folder / "reads.tsv",
        calls=folder,
        strata=folder / "strata.tsv" if strata else None,
        table=folder / "qa" / "reads.parquet",
        params=QaReadsParams(),
    )
    target = folder / "qa" / "agreement.json"
    qa_agreement.run(
        table=folder / "qa" / "reads.parquet",
        agreement=target,
        params=QaAgreementParams(draws=FEW, **params),
    )
    return read_document(target, AgreementDoc).result


def written(folder, calls, reads, strata=None):
    head = "case_id,state,ihc_score,her2_category,ish_group,guideline,nuclei,her2_signals,cep17_signals"
    (folder / "calls.csv").write_text("\n".join([head, *calls, ""]), encoding="utf-8")
    columns = ("case_id", "reader", "session", "date", "ihc_score", "her2_signals", "cep17_signals")
    rows = ["\t".join([*columns, "nuclei", "call"]), *reads, ""]
    (folder / "reads.tsv").write_text("\n".join(rows), encoding="utf-8")
    if strata is not None:
        (folder / "strata.tsv").write_text(strata, encoding="utf-8")
    return folder


def call(case, state, score, category="", counts=",,"):
    return f"{case},{state},{score},{category},,breast_2023,{counts}"


def read(case, reader, score, stated="", session=1, date="", counts="\t\t"):
    return f"{case}\t{reader}\t{session}\t{date}\t{score}\t{counts}\t{stated}"


CALLS = (
    call("c1", "negative", "0", "null"),
    call("c2", "negative", "1+", "low"),
    call("c3", "positive", "3+"),
)


def pair(result, kind, endpoint, first=None, second=None, stratum=""):
    (found,) = [
        p
        for p in result.pairs
        if (p.kind, p.endpoint, p.stratum) == (kind, endpoint, stratum)
        and first in (None, p.first)
        and second in (None, p.second)
    ]
    return found


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    write_study(SimulatedStudy(cases=150, readers=3, seed=5, second_session=0.4), folder)
    return agreement(folder)


def test_the_software_is_compared_with_each_reader_and_readers_with_each_other(simulated):
    of_scores = [
        (p.kind, p.first, p.second) for p in simulated.pairs if p.endpoint == "ihc_score" and not p.stratum
    ]

    assert of_scores == [
        ("software_reader", "her2path", "r00"),
        ("software_reader", "her2path", "r01"),
        ("software_reader", "her2path", "r02"),
        ("readers", "r00", "r01"),
        ("readers", "r00", "r02"),
        ("readers", "r01", "r02"),
        ("software_majority", "her2path", "majority"),
        ("reader_majority", "r00", "majority"),
        ("reader_majority", "r01", "majority"),
        ("reader_majority", "r02", "majority"),
        ("intra_reader", "r00", "r00"),
        ("intra_reader", "r01", "r01"),
        ("intra_reader", "r02", "r02"),
    ]


def test_a_table_counts_the_cases_of_both(simulated):
    found = pair(simulated, "software_reader", "ihc_score", second="r00")

    assert found.cases == 150 == sum(map(sum, found.table))
    assert found.estimates["exact"].value == sum(found.table[i][i] for i in range(4)) / 150


def test_readers_who_err_alike_agree_with_each_other_as_with_the_software(simulated):
    (among,) = [e for e in simulated.among_readers if e.endpoint == "ihc_score" and not e.stratum]

    assert among.readers == 3
    assert among.estimates["difference"].low < 0 < among.estimates["difference"].high


def test_readers_who_shared_two_cases_do_not_hide_what_the_others_show(tmp_path):
    cases = range(40)
    reads = [read(f"c{i}", "AB" if i < 21 else "CD", "3+" if i in {5, 30} else "1+") for i in cases]
    reads += [read(f"c{i}", "CD", "1+") for i in (19, 20)]
    written(tmp_path, [call(f"c{i}", "negative", "1+", "low") for i in cases], reads)

    (among,) = [e for e in agreement(tmp_path, strata=False).among_readers if e.endpoint == "ihc_score"]

    assert among.statement == (
        "The software agrees with readers in 95.0 % of the cases on average (n 40), readers with each other "
        "in 100.0 % (n 2); the difference is not to be judged: only 2 cases were read by the software and "
        "two readers; a difference needs 10."
    )


def test_a_statement_names_the_cases_of_both_shares_and_of_their_difference(simulated):
    (among,) = [e for e in simulated.among_readers if e.endpoint == "ihc_score" and not e.stratum]

    assert among.statement.count("(n 150)") == 2
    assert "percentage points, n 150)" in among.statement


def test_several_readers_at_once_with_and_without_the_software(simulated):
    found = [e for e in simulated.multi_rater if e.endpoint == "category" and not e.stratum]

    assert [(e.with_software, len(e.raters)) for e in found] == [(False, 3), (True, 4)]


def test_strata_divide_the_cases(simulated):
    found = [
        p
        for p in simulated.pairs
        if (p.kind, p.endpoint, p.stratum) == ("software_majority", "ihc_score", "site")
    ]
    whole = pair(simulated, "software_majority", "ihc_score")

    assert [p.stratum_value for p in found] == ["north", "south", "west"]
    assert sum(p.cases for p in found) == whole.cases
    assert simulated.strata["site"].keys() == {"north", "south", "west"}


def test_sessions_of_one_reader_are_compared_with_the_days_between(simulated):
    found = pair(simulated, "intra_reader", "ihc_score", first="r01")

    assert (found.first_session, found.second_session) == (1, 2)
    assert found.days_between == (35, 35, 35)
    assert 0 < found.cases < 150


def test_ratio_and_copies_are_compared_where_both_counted(simulated):
    found = [m for m in simulated.methods if (m.kind, m.second) == ("software_reader", "r00")]

    assert [m.quantity for m in found] == ["her2_cep17_ratio", "her2_mean", "cep17_mean"]
    assert [[cut.cut for cut in m.cuts] for m in found] == [[2.0], [4.0, 6.0], []]
    assert len(found[0].points.case_ids) == found[0].cases == found[0].points.of
    assert found[0].left_out["not_counted"] > 0


def test_without_a_reference_there_is_no_sensitivity(simulated):
    found = pair(simulated, "software_reader", "call", second="r00").percent_agreement

    assert [e.analysis for e in found] == ["as_positive", "as_negative", "least", "most"]
    assert all("sensitivity" not in e.estimates for e in found)


def test_a_named_reference_gives_sensitivity_and_is_what_others_are_held_against(tmp_path):
    reads = [
        *(read(case, "AB", score) for case, score in (("c1", "0"), ("c2", "3+"), ("c3", "3+"))),
        *(read(case, "CD", score) for case, score in (("c1", "0"), ("c2", "1+"), ("c3", "3+"))),
    ]

    result = agreement(written(tmp_path, CALLS, reads), strata=False, reference="AB")

    ours = pair(result, "software_reference", "call", second="AB").percent_agreement[0]
    assert (ours.estimates["sensitivity"].value, ours.estimates["specificity"].value) == (0.5, 1.0)
    assert pair(result, "reader_reference", "call").first == "CD"
    assert pair(result, "software_reader", "call").second == "CD"


def test_a_reference_who_read_nothing_is_refused(tmp_path):
    folder = written(tmp_path, CALLS, [read("c1", "AB", "0")])

    with pytest.raises(ConfigError, match="'XY' is no reader of these reads; known are AB"):
        agreement(folder, strata=False, reference="XY")


def test_cases_without_call_or_read_are_listed_and_no_faults(tmp_path):
    reads = [read("c1", "AB", "0"), read("c9", "AB", "2+"), read("c9", "CD", "2+"), read("c2", "CD", "")]

    result = agreement(written(tmp_path, CALLS, reads), strata=False)

    assert {e.reason: (e.cases, e.case_ids, e.reads) for e in result.left_out} == {
        "without_call": (1, ("c9",), 2),
        "without_read": (2, ("c2", "c3"), 0),
        "without_reading": (1, ("c2",), 1),
    }
    assert (result.cases, result.reads) == (1, 1)


def test_what_the_software_could_not_evaluate_is_left_out_and_counted(tmp_path):
    calls = (*CALLS, call("c4", "not_evaluable", ""))
    reads = [read(case, "AB", "0") for case in ("c1", "c4")]

    result = agreement(written(tmp_path, calls, reads), strata=False)

    assert pair(result, "software_reader", "call").left_out == {"not_evaluable_first": 1}
    assert result.left_out[-1].case_ids == ("c4",)


def test_a_category_that_waits_for_ish_is_no_category(tmp_path):
    calls = (call("c1", "needs_ish", "2+"),)
    result = agreement(written(tmp_path, calls, [read("c1", "AB", "2+")]), strata=False)

    found = pair(result, "software_reader", "category")
    assert (found.cases, found.left_out) == (0, {"no_value_both": 1})
    assert found.estimates["kappa"].value is None
    assert "no case was read by both" in found.estimates["kappa"].why
    assert pair(result, "software_reader", "call").table[1][1] == 1


def test_a_disagreement_is_listed_with_its_effect_on_the_category(tmp_path):
    reads = [read("c1", "AB", "1+"), read("c2", "AB", "1+"), read("c3", "AB", "2+")]

    result = agreement(written(tmp_path, CALLS, reads), strata=False)

    (first,) = [e for e in result.category_effects if e.case_ids == ("c1",)]
    assert (first.first_score, first.second_score, first.changes) == ("0", "1+", "treatment")
    assert (first.first_category, first.second_category) == ("0", "low")


@pytest.mark.parametrize(
    "reads",
    [
        pytest.param([read("c1", "AB", "0")], id="one reader, one case"),
        pytest.param([read(case, "AB", "0") for case in ("c1", "c2", "c3")], id="one category"),
        pytest.param(
            [read(c, r, s) for r in ("AB", "CD") for c, s in (("c1", "0"), ("c2", "1+"), ("c3", "3+"))],
            id="perfect agreement",
        ),
        pytest.param([read("c9", "AB", "0")], id="no case in common"),
        pytest.param(
            [
                read("c3", "AB", "2+", counts="0\t40\t20"),
                read("c3", "AB", "2+", session=2, counts="80\t0\t20"),
            ],
            id="counts without a signal",
        ),
    ],
)
def test_small_studies_end_in_values_or_reasons(tmp_path, reads):
    folder = written(tmp_path, CALLS, reads, strata="case_id\tsite\nc1\tA\n")

    result = agreement(folder)

    entries = [e for p in (*result.pairs, *result.methods, *result.multi_rater) for e in p.estimates.values()]
    assert all((e.value is None or e.low is None) == bool(e.why) for e in entries)


def test_the_same_reads_give_the_same_document(tmp_path):
    write_study(SimulatedStudy(cases=40, readers=2, seed=7), tmp_path)

    agreement(tmp_path)
    first = (tmp_path / "qa" / "agreement.json").read_bytes()
    agreement(tmp_path)

    assert (tmp_path / "qa" / "agreement.json").read_bytes() == first


def test_another_seed_moves_the_intervals_and_no_value(tmp_path):
    write_study(SimulatedStudy(cases=40, readers=2, seed=7), tmp_path)

    one, other = (
        pair(agreement(tmp_path, seed=seed), "readers", "ihc_score").estimates["kappa"] for seed in (1, 2)
    )

    assert one.value == other.value
    assert (one.low, one.high) != (other.low, other.high)


def test_a_read_that_contradicts_itself_is_named_beside_its_reader(tmp_path):
    result = agreement(written(tmp_path, CALLS, [read("c3", "AB", "3+", "negative")]), strata=False)

    assert result.readers[1].contradictions["call_other_than_numbers"].case_ids == ("c3",)


def test_three_sessions_of_a_reader_are_compared_one_by_one_and_together(tmp_path):
    reads = [
        read(case, "AB", score, session=session)
        for session, scores in enumerate((("0", "1+"), ("0", "1+"), ("1+", "1+")), start=1)
        for case, score in zip(("c1", "c2"), scores, strict=True)
    ]

    result = agreement(written(tmp_path, CALLS, reads), strata=False)

    found = [p for p in result.pairs if p.kind == "intra_reader" and p.endpoint == "ihc_score"]
    assert [(p.first_session, p.second_session) for p in found] == [(1, 2), (2, 3)]
    assert found[0].estimates["all_sessions"].value == pytest.approx((1 / 3 + 1) / 2)
    assert found[0].days_between is None


def test_very_many_readers_are_compared_with_each_other_in_brief_and_the_page_is_told(tmp_path):
    reads = [read(case, f"R{n:02d}", "1+") for n in range(MOST_READERS + 1) for case in ("c1", "c2")]

    result = agreement(written(tmp_path, CALLS, reads), strata=False)

    brief = pair(result, "readers", "ihc_score", first="R00", second="R01")
    whole = pair(result, "software_reader", "ihc_score", second="R00")
    assert brief.estimates.keys() == {"exact", "exact_clopper_pearson", "kappa_quadratic"}
    assert whole.estimates.keys() > brief.estimates.keys()
    assert any(f"With more than {MOST_READERS} readers" in note for note in result.notes)


def test_numbered_readers_are_listed_in_the_order_of_their_numbers(tmp_path):
    reads = [read("c1", f"reader_{number}", "0") for number in (10, 9, 2)]
    result = agreement(written(tmp_path, CALLS, reads), strata=False)

    listed = [reader.reader for reader in result.readers]
    assert listed == ["her2path", "reader_2", "reader_9", "reader_10"]


def test_strata_of_very_many_values_are_compared_where_they_have_most_cases(tmp_path):
    cases = [f"c{n}" for n in range(MOST_STRATUM_VALUES + 2)]
    strata = [f"{case}\tlot{n}" for n, case in enumerate(cases)] + ["again\tlot31"]
    calls = [call(case, "negative", "1+", "low") for case in (*cases, "again")]
    reads = [read(case, name, "1+") for case in (*cases, "again") for name in ("AB", "CD")]

    result = agreement(written(tmp_path, calls, reads, strata="\n".join(["case_id\tbatch", *strata, ""])))

    compared = {p.stratum_value for p in result.pairs if p.stratum == "batch"}
    assert len(compared) == MOST_STRATUM_VALUES
    assert "lot31" in compared
    assert f"Of batch the {MOST_STRATUM_VALUES} values with most cases are compared." in result.notes
