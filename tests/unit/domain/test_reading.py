from __future__ import annotations

from fractions import Fraction

import pytest

from her2path.domain.case import Controls, Specimen
from her2path.domain.guideline.findings import IhcFinding, IshFinding, RecountFinding
from her2path.domain.guideline.registry import GUIDELINES
from her2path.domain.ihc import (
    TYPICAL_STAINING,
    IhcReading,
    IhcScore,
    IhcTally,
    StainingClass,
    StatedScore,
    TallyUnit,
)
from her2path.domain.ish import IshReading, SignalSummary
from her2path.domain.reading import Count, IhcRead, compare_recount, read_ihc, read_ish
from her2path.domain.verdict import NotEvaluable

BREAST = GUIDELINES["breast_2023"]
INTENSE, COMPLETE, LATERAL, FAINT, NONE = StainingClass


def reading(cells: dict[StainingClass, int], blank: str = "0", **more: object) -> IhcReading:
    tally = IhcTally({TYPICAL_STAINING[name]: n for name, n in cells.items()})
    return IhcReading(tally, limit_of_blank=Fraction(blank), **more)  # type: ignore[arg-type]


def read(cells: dict[StainingClass, int], blank: str = "0", **more: object) -> IhcRead:
    found = read_ihc(reading(cells, blank, **more), BREAST)
    assert isinstance(found, IhcRead)
    return found


@pytest.mark.parametrize(
    ("cells", "rule_id"),
    [
        pytest.param({INTENSE: 101, NONE: 899}, "IHC-3", id="10.1 % intense complete"),
        pytest.param({INTENSE: 100, NONE: 900}, "IHC-2-FOCAL", id="exactly 10 % intense complete"),
        pytest.param({INTENSE: 1, NONE: 999}, "IHC-2-FOCAL", id="one intense complete cell"),
        pytest.param({INTENSE: 90, COMPLETE: 90, NONE: 820}, "IHC-2-COMPLETE", id="9 % and 9 % complete"),
        pytest.param({COMPLETE: 101, NONE: 899}, "IHC-2-COMPLETE", id="10.1 % complete"),
        pytest.param({COMPLETE: 100, NONE: 900}, "IHC-0-CUMULATED", id="exactly 10 % complete"),
        pytest.param({LATERAL: 101, NONE: 899}, "IHC-2-LATERAL", id="10.1 % basolateral"),
        pytest.param({LATERAL: 100, NONE: 900}, "IHC-0-CUMULATED", id="exactly 10 % basolateral"),
        pytest.param({COMPLETE: 60, FAINT: 60, NONE: 880}, "IHC-1-CUMULATED", id="6 % complete, 6 % faint"),
        pytest.param({COMPLETE: 50, FAINT: 50, NONE: 900}, "IHC-0-CUMULATED", id="5 % complete, 5 % faint"),
        pytest.param({FAINT: 101, NONE: 899}, "IHC-1", id="10.1 % faint"),
        pytest.param({COMPLETE: 10, FAINT: 101, NONE: 889}, "IHC-1", id="10.1 % faint, a little complete"),
        pytest.param({FAINT: 100, NONE: 900}, "IHC-0-FAINT", id="exactly 10 % faint"),
        pytest.param({FAINT: 1, NONE: 999}, "IHC-0-FAINT", id="one faint cell"),
        pytest.param({NONE: 1000}, "IHC-0-ABSENT", id="no staining"),
    ],
)
def test_score_on_and_beside_each_cut(cells, rule_id):
    found = read(cells)

    assert found.trail[-1].rule_id == rule_id
    assert found.score == {"3": "3+", "2": "2+", "1": "1+", "0": "0"}[rule_id[4]]


@pytest.mark.parametrize(
    ("cells", "rule_id"),
    [
        pytest.param({INTENSE: 5, NONE: 995}, "IHC-0-BLANK", id="intense on the blank is nothing"),
        pytest.param({INTENSE: 6, NONE: 994}, "IHC-2-FOCAL", id="intense above the blank is 2+"),
        pytest.param({FAINT: 5, NONE: 995}, "IHC-0-BLANK", id="faint on the blank is null"),
        pytest.param({FAINT: 6, NONE: 994}, "IHC-0-FAINT", id="faint above the blank is ultralow"),
        pytest.param({COMPLETE: 5, FAINT: 20, NONE: 975}, "IHC-0-FAINT", id="complete within the blank"),
        pytest.param({COMPLETE: 6, FAINT: 20, NONE: 974}, "IHC-0-CUMULATED", id="complete above the blank"),
        pytest.param(
            {INTENSE: 5, COMPLETE: 96, NONE: 899}, "IHC-2-COMPLETE", id="intense counts as complete"
        ),
        pytest.param({INTENSE: 5, LATERAL: 96, NONE: 899}, "IHC-2-LATERAL", id="intense counts as lateral"),
    ],
)
def test_limit_of_blank_of_half_a_per_cent(cells, rule_id):
    assert read(cells, "1/200").trail[-1].rule_id == rule_id


def test_an_undefined_pattern_is_flagged_so_that_a_person_looks():
    assert {"undefined_pattern", "policy"} <= set(read({COMPLETE: 100, NONE: 900}).flags)
    assert "undefined_pattern" not in read({FAINT: 100, NONE: 900}).flags


def test_a_small_intense_population_is_flagged():
    assert "focal_intense" in read({INTENSE: 50, NONE: 950}).flags


def test_intense_cells_that_the_blank_explains_are_flagged_so_that_a_person_looks():
    assert "intense_within_blank" in read({INTENSE: 5, NONE: 995}, "1/200").flags
    assert "intense_within_blank" not in read({INTENSE: 6, NONE: 994}, "1/200").flags
    assert "intense_within_blank" not in read({FAINT: 5, NONE: 995}, "1/200").flags


@pytest.mark.parametrize(
    ("guideline", "specimen", "stained", "is_flagged"),
    [
        pytest.param("breast_2023", None, 5, True, id="on the limit of blank"),
        pytest.param("breast_2023", None, 6, False, id="above it the score is 0 with staining"),
        pytest.param("breast_2023", None, 0, False, id="no cell was read as stained"),
        pytest.param("colorectal_harmonised_2019", Specimen.BIOPSY, 5, True, id="a biopsy of the colon"),
        # Up to 10 % is 0 in a resection, so nothing rests on the limit of blank.
        pytest.param("colorectal_harmonised_2019", Specimen.RESECTION, 5, False, id="a resection of it"),
    ],
)
def test_a_zero_that_rests_on_the_limit_of_blank_is_flagged_so_that_a_person_looks(
    guideline, specimen, stained, is_flagged
):
    counted = reading({FAINT: stained, NONE: 1000 - stained}, "1/200", specimen=specimen)
    found = read_ihc(counted, GUIDELINES[guideline])
    assert isinstance(found, IhcRead)
    assert found.score == "0"
    assert ("stained_within_blank" in found.flags) is is_flagged


def test_the_trail_shows_the_numbers_that_decided():
    numbers = read({FAINT: 25, NONE: 975}, "1/200").trail[-1].numbers

    assert (numbers["scored_cells"], numbers["pct_incomplete_faint"], numbers["pct_stained"]) == (
        1000,
        2.5,
        2.5,
    )
    assert numbers["limit_of_blank_pct"] == 0.5


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        pytest.param({}, "no_tumour_cells", id="no cell"),
        pytest.param({INTENSE: 19}, "too_few_tumour_cells", id="19 cells, all strong"),
    ],
)
def test_too_few_cells_have_no_score(cells, code):
    found = read_ihc(reading(cells), BREAST)

    assert isinstance(found, NotEvaluable)
    assert found.code == code


def test_twenty_cells_have_a_flagged_score_and_a_hundred_need_no_flag():
    assert "few_cells" in read({INTENSE: 20}).flags
    assert "few_cells" in read({INTENSE: 99}).flags
    assert "few_cells" not in read({INTENSE: 100}).flags


def test_shares_typed_by_a_person_are_not_taken_for_cells():
    found = read({INTENSE: 1}, unit=TallyUnit.SHARES)

    assert found.score is IhcScore.THREE_PLUS
    assert "few_cells" not in found.flags
    assert "scored_cells" not in found.trail[-1].numbers


def test_a_limit_of_blank_at_the_cut_makes_the_measurement_useless():
    found = read_ihc(reading({NONE: 1000}, "1/10"), BREAST)

    assert isinstance(found, NotEvaluable)
    assert found.code == "limit_of_blank"


def test_failed_controls_make_ihc_indeterminate_with_the_reason_in_the_trail():
    for given in (reading({INTENSE: 500}, controls=Controls.FAIL), StatedScore(IhcScore.ZERO, Controls.FAIL)):
        found = read_ihc(given, BREAST)
        assert isinstance(found, IhcRead)
        assert (found.finding, found.score) == (IhcFinding.INDETERMINATE, None)
        assert found.indeterminate is not None
        assert "controls did not pass" in found.trail[0].conclusion
        assert "ihc_indeterminate" in found.flags


def test_unknown_controls_are_said_and_passed_ones_are_not():
    assert "ihc_controls_unknown" in read({NONE: 100}).flags
    assert "ihc_controls_unknown" not in read({NONE: 100}, controls=Controls.PASS).flags
    stated = read_ihc(StatedScore(IhcScore.TWO_PLUS, Controls.PASS), BREAST)
    assert isinstance(stated, IhcRead)
    assert stated.flags == ("score_stated",)


def count(nuclei: int, her2: int, cep17: int | None, **more: object) -> IshReading:
    return IshReading(SignalSummary(nuclei, her2, cep17), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("her2", "cep17", "group"),
    [
        pytest.param(80, 40, "1", id="ratio 2.00, copies 4.0: on both cuts"),
        pytest.param(79, 39, "2", id="ratio 2.03, copies 3.95"),
        pytest.param(78, 39, "2", id="ratio 2.00 with copies 3.9"),
        pytest.param(120, 61, "3", id="ratio 1.97, copies 6.0: on the cut"),
        pytest.param(119, 60, "4", id="ratio 1.98, copies 5.95"),
        pytest.param(80, 41, "4", id="ratio 1.95, copies 4.0: on the cut"),
        pytest.param(79, 40, "5", id="ratio 1.98, copies 3.95"),
        pytest.param(119, None, "equivocal", id="single probe 5.95"),
        pytest.param(120, None, "amplified", id="single probe 6.0"),
        pytest.param(80, None, "equivocal", id="single probe 4.0"),
        pytest.param(79, None, "not_amplified", id="single probe 3.95"),
    ],
)
def test_group_on_and_beside_each_cut(her2, cep17, group):
    assert read_ish(count(20, her2, cep17), BREAST).finding == group


def test_a_ratio_that_prints_as_two_but_is_less_is_below_the_cut():
    just_below = count(10**6, 8 * 10**6 - 1, 4 * 10**6)

    assert f"{just_below.summary.her2_cep17_ratio:.3f}" == "2.000"
    assert read_ish(just_below, BREAST).finding is IshFinding.GROUP_3


@pytest.mark.parametrize(
    ("given", "rule_ids"),
    [
        pytest.param(count(19, 160, 40), ["ISH-REJECT-NUCLEI"], id="19 nuclei"),
        pytest.param(count(0, 0, 0), ["ISH-REJECT-NUCLEI"], id="no nucleus"),
        pytest.param(count(20, 160, 0), ["ISH-REJECT-NO-CEP17"], id="no CEP17 signal"),
        pytest.param(count(20, 0, 40), ["ISH-REJECT-NO-HER2"], id="no HER2 signal"),
        pytest.param(count(20, 0, None), ["ISH-REJECT-NO-HER2"], id="single probe without signal"),
        pytest.param(count(20, 160, 40, areas=1), ["ISH-REJECT-AREAS"], id="one area"),
        pytest.param(count(20, 160, 40, weak_signals=67), ["ISH-REJECT-WEAK"], id="25.1 % weak"),
        pytest.param(
            count(20, 140, 40, cytoplasmic_signals=21), ["ISH-REJECT-CYTOPLASM"], id="10.4 % outside"
        ),
        pytest.param(count(20, 160, 40, controls=Controls.FAIL), ["ISH-REJECT-CONTROLS"], id="controls"),
        pytest.param(
            count(5, 40, 10, areas=1, controls=Controls.FAIL),
            ["ISH-REJECT-CONTROLS", "ISH-REJECT-NUCLEI", "ISH-REJECT-AREAS"],
            id="all reasons are listed",
        ),
    ],
)
def test_a_count_that_must_be_rejected_is_indeterminate_and_says_why(given, rule_ids):
    found = read_ish(given, BREAST)

    assert found.finding is IshFinding.INDETERMINATE
    assert found.indeterminate is not None
    assert list(found.indeterminate.codes) == rule_ids
    assert all(step.conclusion.startswith("indeterminate: ") for step in found.trail)


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(count(20, 160, 40, areas=2), id="20 nuclei in two areas"),
        pytest.param(count(20, 140, 40, weak_signals=60), id="exactly 25 % weak"),
        pytest.param(count(20, 140, 40, cytoplasmic_signals=20), id="exactly 10 % outside nuclei"),
    ],
)
def test_a_count_on_the_edge_of_rejection_is_read(given):
    assert read_ish(given, BREAST).finding is IshFinding.GROUP_1


def test_areas_that_are_not_stated_are_flagged_but_not_for_a_recount():
    assert "areas_not_stated" in read_ish(count(20, 80, 40), BREAST).flags
    assert "areas_not_stated" not in read_ish(count(20, 80, 40), BREAST, count=Count.RECOUNT).flags
    assert "areas_not_stated" not in read_ish(count(20, 80, 40, areas=2), BREAST).flags


@pytest.mark.parametrize(
    ("her2", "cep17", "near"),
    [(89, 50, False), (90, 50, True), (100, 50, True), (110, 50, True), (111, 50, False), (100, None, False)],
)
def test_a_ratio_that_counting_error_can_carry_across_the_cut_is_flagged(her2, cep17, near):
    assert ("near_ratio_cut" in read_ish(count(20, her2, cep17), BREAST).flags) is near


def test_a_recount_of_one_area_is_read():
    found = read_ish(count(20, 80, 40, areas=1), BREAST, count=Count.RECOUNT)

    assert found.finding is IshFinding.GROUP_1
    assert found.trail[0].conclusion == "recount: ISH group 1"


GROUP_1, GROUP_5 = count(20, 80, 40), count(20, 40, 40)
TOO_FEW = count(10, 40, 20)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (GROUP_1, None, RecountFinding.NONE),
        (GROUP_1, TOO_FEW, RecountFinding.INVALID),
        (GROUP_1, GROUP_1, RecountFinding.SAME),
        (GROUP_1, GROUP_5, RecountFinding.OTHER),
        (TOO_FEW, GROUP_1, RecountFinding.NONE),
    ],
)
def test_what_a_recount_adds(first, second, expected):
    recount = None if second is None else read_ish(second, BREAST, count=Count.RECOUNT)

    assert compare_recount(read_ish(first, BREAST), recount, BREAST) is expected


HERACLES = GUIDELINES["colorectal_heracles_2015"]


def test_a_score_that_says_nothing_without_its_extent_is_not_read():
    found = read_ihc(StatedScore(IhcScore.THREE_PLUS, Controls.PASS), HERACLES)

    assert isinstance(found, NotEvaluable)
    assert found.code == "extent_not_stated"


def test_a_score_that_its_extent_makes_negative_says_so_in_the_trail():
    found = read_ihc(reading({LATERAL: 490, NONE: 510}), HERACLES)

    assert isinstance(found, IhcRead)
    assert (found.score, found.finding) == (IhcScore.TWO_PLUS, IhcFinding.NEGATIVE)
    assert found.trail[0].conclusion == "IHC 2+, negative by its extent"
    assert found.trail[0].numbers["pct_at_least_weak_moderate"] == 49


def test_the_condition_of_a_rule_stands_in_the_trail_in_words():
    assert read_ish(count(20, 80, 40), BREAST).trail[0].condition == (
        "HER2/CEP17 ratio ≥ 2.0 and HER2 copies per nucleus ≥ 4.0"
    )


def test_a_stated_score_of_a_cytology_is_read_only_where_the_guideline_reads_every_specimen_alike():
    stated = StatedScore(IhcScore.THREE_PLUS, Controls.PASS, Specimen.CYTOLOGY)

    stomach = read_ihc(stated, GUIDELINES["gastroesophageal_2016"])
    breast = read_ihc(stated, BREAST)

    assert isinstance(stomach, NotEvaluable)
    assert stomach.code == "specimen_not_covered"
    assert isinstance(breast, IhcRead)
    assert breast.score is IhcScore.THREE_PLUS
