from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from her2path.cli.call import call
from her2path.cli.call_columns import COLUMNS
from her2path.cli.call_inputs import TypedCase
from her2path.cli.call_one import call_typed
from her2path.domain.decision import CaseEvidence
from her2path.domain.guideline.registry import find_guideline
from her2path.errors import CaseSheetError, ConfigError
from her2path.io.documents import CallDoc

APP = typer.Typer()
APP.command()(call)
PAGE = Path(__file__).parents[3] / "docs" / "calculator.md"
GROUP_2 = ("--nuclei", "20", "--her2-signals", "60", "--cep17-signals", "28")


def ran(*arguments: str) -> Result:
    return CliRunner().invoke(APP, list(arguments))


def called(*arguments: str) -> CallDoc:
    result = ran(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return CallDoc.model_validate_json(result.stdout)


def faults(*arguments: str) -> tuple[str, ...]:
    result = ran(*arguments)
    assert isinstance(result.exception, ConfigError), result.output
    return result.exception.faults


def test_a_stated_score_alone_is_enough_for_a_call():
    document = called("--ihc", "2+")

    assert (document.state, document.ihc_score, document.guideline) == ("needs_ish", "2+", "breast_2023")
    assert document.schema_version == "call/4"
    assert "score_stated" in document.flags


def test_percentages_are_scored_exactly():
    document = called("--pct-incomplete-faint", "10.000000001", "--pct-none", "89.999999999")

    assert (document.ihc_score, document.her2_category) == ("1+", "low")


def test_counts_recount_areas_and_guideline_reach_the_call():
    document = called(
        "--ihc", "2+", *GROUP_2, "--areas", "2", "--recount-nuclei", "20", "--recount-her2", "64",
        "--recount-cep17", "30", "--guideline", "breast_2018", "--case-id", "S-1",
        "--ihc-controls", "pass", "--ish-controls", "pass", "--recount-blinded", "yes",
        "--recount-other-observer", "yes",
    )  # fmt: skip

    assert (document.state, document.ish_group, document.case_id) == ("negative", "2", "S-1")
    assert (document.guideline, [c.code for c in document.comments]) == ("breast_2018", ["G2"])
    assert (document.ish["areas"], document.recount["her2_signals"]) == (2, 64)
    assert list(document.flags) == ["low_with_ratio_at_least_2", "near_ratio_cut", "score_stated"]


def test_a_single_probe_needs_no_cep17():
    document = called("--single-probe", "--nuclei", "20", "--her2-signals", "120")

    assert (document.state, document.ish_group) == ("positive", "amplified")


def test_people_read_state_trail_distance_comment_and_flags():
    text = ran("--ihc", "2+", *GROUP_2).output

    for part in (
        "a recount is needed",
        "blinded to the first",
        "CALL-G2-IHC-2",
        "HER2/CEP17 ratio",
        "+0.14",
        "ACT-RECOUNT",
        "areas_not_stated",
    ):
        assert part in text, part


def test_the_overlay_is_printed_with_its_basis():
    assert "DESTINY-Breast06" in ran("--pct-none", "100").output


def test_a_failed_control_is_an_indeterminate_result_not_an_error():
    assert called("--ihc", "3+", "--ihc-controls", "fail").state == "indeterminate"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param((), "gives neither an IHC score", id="nothing"),
        pytest.param(("--ihc", "2"), "--ihc: must be one of 0, 1+, 2+, 3+ (found '2')", id="no such score"),
        pytest.param(("--pct-none", "nan"), "--pct-none: must be a percentage", id="not a number"),
        pytest.param(("--pct-none", "inf"), "--pct-none: must be a percentage", id="infinite"),
        pytest.param(("--pct-none", "-1"), "--pct-none: must be a percentage", id="negative percentage"),
        pytest.param(("--pct-none", "100.5"), "--pct-none: must be a percentage", id="more than 100"),
        pytest.param(("--pct-none", "1e2"), "--pct-none: must be a percentage", id="scientific notation"),
        pytest.param(("--pct-none", "99.9"), "sum to 99.9, not to 100", id="sum is not 100"),
        pytest.param(("--ihc", "2+", "--pct-none", "100"), "the percentages are 0", id="score contradicts"),
        pytest.param(("--nuclei", "1000000000"), "--nuclei: must be at most 999999999", id="too many"),
        pytest.param(("--nuclei", "20.5"), "--nuclei: must be a whole number", id="half a nucleus"),
        pytest.param(("--nuclei", "20"), "--her2-signals: is needed beside nuclei", id="no HER2"),
        pytest.param(GROUP_2[:4], "--cep17-signals: is needed", id="dual probe without CEP17"),
        pytest.param(("--single-probe", *GROUP_2), "a single probe has no CEP17", id="single with CEP17"),
        pytest.param(
            ("--nuclei", "0", "--her2-signals", "3", "--cep17-signals", "0"),
            "--nuclei: is 0, but signals were counted",
            id="signals without nuclei",
        ),
        pytest.param(("--ihc", "2+", "--areas", "2"), "--areas: is given without ISH", id="areas alone"),
        pytest.param(
            ("--recount-nuclei", "20", "--recount-her2", "60", "--recount-cep17", "28"),
            "a recount needs a first count",
            id="recount alone",
        ),
        pytest.param(
            ("--ihc", "2+", "--ihc-controls", "ok"), "--ihc-controls: must be one of", id="controls"
        ),
        pytest.param(("--ihc", "2+", "--guideline", "breast_1998"), "--guideline: guideline", id="guideline"),
        pytest.param(("--ihc", "2+", "--case-id", "../x"), "--case-id: '../x' cannot be an id", id="id"),
        pytest.param(("--out", "x.csv"), "--table: is missing", id="out without table"),
        pytest.param(
            ("--single-probe", "--probe", "dual", *GROUP_2),
            "--single-probe: contradicts --probe dual",
            id="two probes",
        ),
        pytest.param(("--probe", "dual", "--ihc", "0"), "--probe: is dual, but no count", id="lost count"),
        pytest.param(("--probe", "none", *GROUP_2), "--nuclei: is given, but the probe is none", id="no ISH"),
    ],
)
def test_a_faulty_option_is_named_with_what_to_do(arguments, message):
    assert any(message in fault for fault in faults(*arguments))


def test_all_faults_are_reported_at_once():
    assert len(faults("--ihc", "9", "--nuclei", "-3", "--guideline", "x", "--pct-none", "7")) >= 4


def test_no_fault_of_the_percentages_hides_one_of_the_clusters():
    found = faults("--pct-none", "x", "--cluster-cells", "y", "--cluster-cells-faint", "5.5")

    assert [fault.split(":")[0] for fault in found] == [
        "--pct-none",
        "--cluster-cells",
        "--cluster-cells-faint",
    ]


def test_a_case_without_numbers_is_never_called():
    document = call_typed(TypedCase("x", find_guideline("breast_2023"), CaseEvidence()))

    assert (document.state, document.reasons["x"].code) == ("not_evaluable", "no_measurement")


def test_a_score_and_percentages_that_agree_are_accepted():
    assert called("--ihc", "0", "--pct-none", "100").ihc_score == "0"


def test_a_failed_stain_is_not_compared_with_the_stated_score():
    assert called("--ihc", "2+", "--pct-none", "100", "--ihc-controls", "fail").state == "indeterminate"


def test_flags_and_cuts_are_left_out_where_there_are_none():
    text = ran("--ihc", "3+").output

    assert "Cut-points" not in text
    assert "HER2 positive" in text


def test_options_and_columns_have_the_same_names():
    others = {"return", "as_json", "table", "out", "single_probe", "nuclei_table", "compare", "explain"}

    assert tuple(name for name in call.__annotations__ if name not in others) == tuple(COLUMNS)
    assert "--single-probe" in ran("--help").output


def test_the_page_for_pathologists_names_every_column():
    page = PAGE.read_text(encoding="utf-8")

    assert [name for name, column in COLUMNS.items() if f"| `{name}` | {column.help} |" not in page] == []


def test_json_is_the_same_on_every_run_and_holds_no_path():
    first, second = (ran("--ihc", "2+", *GROUP_2, "--json").output for _ in range(2))

    assert first == second
    assert json.loads(first)["inputs"] == {}


def test_a_test_that_cannot_be_read_is_not_evaluable_and_says_why():
    result = ran("--ihc", "3+", "--guideline", "colorectal_heracles_2015")

    assert result.exit_code == 1
    assert "says nothing without its extent" in " ".join(result.output.split())


def test_everything_known_of_the_specimen_reaches_the_call():
    document = called(
        "--ihc", "0", "--tumour-site", "colorectal", "--fixation-hours", "72.5",
        "--cold-ischaemia-minutes", "61", "--specimen", "biopsy", "--guideline", "breast_2018",
    )  # fmt: skip

    assert {"cold_ischaemia_long", "fixation_out_of_range", "guideline_site"} <= set(document.flags)
    assert (document.specimen.site, document.specimen.kind) == ("colorectal", "biopsy")


def test_a_tumour_outside_the_breast_is_not_called_by_a_guideline_that_nobody_chose():
    result = ran("--ihc", "0", "--tumour-site", "biliary")

    assert result.exit_code != 0
    assert "--guideline: is not named, and the tumour is biliary; choose one of" in str(result.exception)


@pytest.mark.parametrize("site", ["na", "Breast"])
def test_a_site_that_is_not_stated_or_the_breast_asks_for_no_guideline(site):
    assert called("--ihc", "0", "--tumour-site", site).guideline == "breast_2023"
    assert called("--ihc", "0", "--tumour-site", "breast").guideline == "breast_2023"
    assert called("--ihc", "0").guideline == "breast_2023"


@pytest.mark.parametrize(
    ("more", "rule"),
    [
        (("--weak-signals", "30"), "ISH-REJECT-WEAK"),
        (("--cytoplasmic-signals", "10"), "ISH-REJECT-CYTOPLASM"),
        (("--poor-nuclei", "yes"), "ISH-REJECT-NUCLEAR-RESOLUTION"),
        (("--autofluorescence", "yes"), "ISH-REJECT-AUTOFLUORESCENCE"),
        (("--areas", "1"), "ISH-REJECT-AREAS"),
        (("--ish-controls", "fail"), "ISH-REJECT-CONTROLS"),
    ],
)
def test_what_rejects_an_ish_test_makes_it_indeterminate(more, rule):
    document = called("--ihc", "2+", *GROUP_2, *more)

    assert (document.state, document.ish_group) == ("indeterminate", None)
    assert rule in [entry.rule_id for entry in document.rule_trail]


@pytest.mark.parametrize("name", ["--ihc-artefact", "--normal-ducts-stained"])
def test_what_rejects_an_ihc_test_makes_it_indeterminate(name):
    assert called("--pct-none", "100", name, "yes").state == "indeterminate"
    assert called("--ihc", "3+", name, "yes").state == "indeterminate"
    assert called(name, "yes").state == "indeterminate"


@pytest.mark.parametrize("name", ["--recount-blinded", "--recount-other-observer"])
def test_a_recount_that_nobody_else_made_is_none(name):
    recount = ("--recount-nuclei", "20", "--recount-her2", "60", "--recount-cep17", "28")
    document = called("--ihc", "2+", *GROUP_2, *recount, name, "no")

    assert document.state == "needs_recount"
    assert "recount_not_valid" in document.flags


def test_a_second_population_has_its_own_result():
    second = ("--second-nuclei", "20", "--second-her2", "160", "--second-cep17", "40")
    result = ran("--ihc", "1+", *GROUP_2, "--second-population-pct", "12", *second)

    assert "HER2 positive" in result.output
    assert "88\xa0%" in result.output
    assert "12\xa0%" in result.output


def test_a_limit_of_blank_separates_null_from_ultralow():
    stained = ("--pct-incomplete-faint", "2", "--pct-none", "98")

    assert called(*stained).her2_category == "ultralow"
    assert called(*stained, "--limit-of-blank-pct", "2").her2_category == "null"


def test_every_rule_is_explained_with_condition_source_and_numbers():
    text = " ".join(ran("--pct-none", "100", *GROUP_2, "--explain").output.split())

    for part in (
        "because HER2/CEP17 ratio ≥ 2.0 and HER2 copies per nucleus < 4.0",
        "dual-probe ISH algorithm, group 2",
        "HER2 signals 60",
        "+0.14",
        "breast_2013 positive",
        "Another count of 20 nuclei",
        "HER2 signals would make it ISH group 5",
    ):
        assert part in text, part


def test_other_guidelines_can_be_named_and_may_ask_for_more():
    text = " ".join(ran("--pct-none", "100", "--compare", "gastroesophageal_2016,breast_2013").output.split())

    assert "breast_2013 negative" in text
    assert "say in `specimen` which it is" in text


def test_named_guidelines_are_those_of_the_document():
    document = called("--ihc", "2+", *GROUP_2, "--compare", "breast_2013")

    assert [(v.guideline, v.state, v.differs) for v in document.other_versions] == [
        ("breast_2013", "positive", True)
    ]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        pytest.param("breast_2013,breast_1998", "--compare: guideline 'breast_1998'", id="unknown"),
        pytest.param("", "--compare: names no guideline", id="none"),
        pytest.param("breast_2013,breast_2013", "--compare: 'breast_2013' is named twice", id="twice"),
    ],
)
def test_a_comparison_names_known_guidelines_once(names, message):
    assert any(fault.startswith(message) for fault in faults("--ihc", "2+", "--compare", names))


def nuclei(tmp_path: Path, text: str, name: str = "nuclei.csv") -> str:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_single_nuclei_give_totals_share_and_heterogeneity(tmp_path):
    source = nuclei(tmp_path, "nucleus,her2,cep17\n" + "1,9,4\n" * 4 + "2,2,2\n" * 16)

    document = called("--ihc", "2+", "--nuclei-table", source)

    assert (document.ish["nuclei"], document.ish["her2_signals"], document.ish["cep17_signals"]) == (
        20,
        68,
        48,
    )
    assert document.ish["pct_nuclei_ratio_at_least_2"] == 20
    assert "heterogeneous_2009" in document.flags
    assert document.stability is not None
    assert document.stability.basis == "nuclei"
    assert "20.0 % (heterogeneous" in ran("--ihc", "2+", "--nuclei-table", source, "--explain").output


def test_single_nuclei_of_a_single_probe_need_no_cep17(tmp_path):
    source = nuclei(tmp_path, "her2_signals\n" + "6\n" * 20)

    assert called("--single-probe", "--nuclei-table", source).ish_group == "amplified"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("her2\n4\n", "row 1, cep17: column is missing", id="no CEP17 column"),
        pytest.param("cep17\n4\n", "row 1, her2: column is missing", id="no HER2 column"),
        pytest.param("her2,cep17\n4,\n", "row 2, cep17: is empty", id="no CEP17 in a nucleus"),
        pytest.param("her2,cep17\n4,0\n", "row 2, cep17: is 0; a nucleus without both", id="no CEP17 seen"),
        pytest.param("her2,cep17\n4,2\n0,2\n", "row 3, her2: is 0; a nucleus without", id="no HER2 seen"),
        pytest.param("her2,cep17\n4,2\n-1,2\n", "row 3, her2: must be a whole number", id="negative"),
        pytest.param("her2,cep17\n4,2.5\n", "row 2, cep17: must be a whole number", id="half a signal"),
        pytest.param("her2,cep17\n4,2,1\n", "row 2: 3 cells", id="too many cells"),
        pytest.param(
            "her2,her2_signals,cep17\n4,4,2\n", "row 1, her2: is there twice", id="two HER2 columns"
        ),
    ],
)
def test_a_faulty_table_of_nuclei_is_refused_by_row_and_column(tmp_path, text, message):
    result = ran("--nuclei-table", nuclei(tmp_path, text))

    assert isinstance(result.exception, CaseSheetError)
    assert any(str(fault).startswith(message) for fault in result.exception.faults)


def test_single_nuclei_and_totals_cannot_both_be_given(tmp_path):
    source = nuclei(tmp_path, "her2,cep17\n4,2\n")

    assert faults("--nuclei-table", source, "--nuclei", "20")[0].startswith("--nuclei: follows from")
    assert "a single probe has no CEP17" in str(ran("--single-probe", "--nuclei-table", source).exception)


def test_the_size_of_a_recount_that_nobody_stated_is_not_made_up():
    recount = ("--recount-mean-her2", "3.99", "--recount-mean-cep17", "1.99")
    document = called("--ihc", "2+", *GROUP_2, *recount)

    assert set(document.recount) == {"probe", "her2_mean", "cep17_mean", "her2_cep17_ratio"}
    (step,) = [entry for entry in document.rule_trail if entry.conclusion.startswith("recount")]
    assert set(step.numbers) == {"her2_mean", "cep17_mean", "her2_cep17_ratio"}
    assert document.rule_trail[1].numbers["nuclei"] == 20


def test_how_firm_a_sum_is_cannot_be_said_without_the_size_of_both_counts():
    document = called(
        "--ihc", "2+", "--specimen", "resection", "--guideline", "gastroesophageal_2016", "--nuclei", "20",
        "--her2-signals", "100", "--cep17-signals", "70",
        "--recount-mean-her2", "9", "--recount-mean-cep17", "3",
    )  # fmt: skip

    assert document.stability is None
    assert document.no_stability.code == "recount_nuclei_not_stated"


def test_a_guideline_that_the_numbers_do_not_suffice_for_says_so():
    lateral = ("--pct-incomplete-moderate-intense", "30", "--pct-none", "70", "--specimen", "resection")

    (version,) = called(*lateral, "--compare", "gastroesophageal_2016").other_versions

    assert (version.state, version.reason_code) == ("not_evaluable", "faulty")
    assert version.reason.startswith("incomplete_intensity: is needed")


@pytest.mark.parametrize(
    ("typed", "other"),
    [
        pytest.param(
            ("--guideline", "breast_2007", "--ihc", "2+", "--nuclei", "35", "--mean-her2", "4.1",
             "--mean-cep17", "2.1"),
            "breast_2018", id="means that are equivocal in 2007, and in 2018 of group 1 or 4",
        ),
        pytest.param(
            ("--guideline", "colorectal_harmonised_2019", "--specimen", "resection",
             "--pct-incomplete-moderate-intense", "5", "--pct-none", "95"),
            "colorectal_heracles_2015", id="5 % of which nobody said whether it is moderate or strong",
        ),
    ],
)  # fmt: skip
def test_what_was_left_open_is_not_guessed_for_another_version(typed, other):
    document = called(*typed)

    (version,) = (v for v in document.other_versions if v.guideline == other)
    assert document.status == "evaluated"
    assert (version.state, version.reason_code, version.differs) == ("not_evaluable", "faulty", True)
