from __future__ import annotations

import pytest

from her2path.domain.study_checks import CheckStatus, RepeatedReads, StudyFacts, study_checks

MET, NOT_MET, UNTOLD = CheckStatus.MET, CheckStatus.NOT_MET, CheckStatus.CANNOT_BE_TOLD


def _facts(**known):
    return StudyFacts(**({"positive": None, "negative": None, "compared": 0, "agreeing": 0} | known))


def _check(name, **known):
    return next(check for check in study_checks(_facts(**known)) if check.name == name)


@pytest.mark.parametrize(
    ("positive", "negative", "twenty", "forty"),
    [
        pytest.param(20, 20, MET, NOT_MET, id="exactly 20 of each"),
        pytest.param(19, 60, NOT_MET, NOT_MET, id="one positive too few"),
        pytest.param(60, 19, NOT_MET, NOT_MET, id="one negative too few"),
        pytest.param(40, 40, MET, MET, id="exactly 40 of each"),
        pytest.param(39, 41, MET, NOT_MET, id="80 cases, but 39 positive"),
        pytest.param(None, 40, UNTOLD, UNTOLD, id="nothing says which are positive"),
        pytest.param(40, None, UNTOLD, UNTOLD, id="nothing says which are negative"),
    ],
)
def test_cases_of_each_call_on_and_beside_the_number(positive, negative, twenty, forty):
    known = {"positive": positive, "negative": negative}

    assert _check("cap-cases-20-20", **known).status is twenty
    assert _check("cap-cases-40-40", **known).status is forty


@pytest.mark.parametrize(
    ("agreeing", "compared", "status"),
    [
        pytest.param(36, 40, MET, id="exactly 90 %"),
        pytest.param(35, 40, NOT_MET, id="one case less"),
        pytest.param(63, 70, MET, id="90 % that is no exact number in binary"),
        pytest.param(0, 0, UNTOLD, id="no case to compare"),
    ],
)
def test_concordance_on_and_beside_ninety_per_cent(agreeing, compared, status):
    known = {"positive": 20, "negative": 20, "agreeing": agreeing, "compared": compared}

    assert _check("cap-concordance-90", **known).status is status


@pytest.mark.parametrize(
    ("positive", "negative", "status"),
    [(20, 20, MET), (19, 60, UNTOLD), (60, 19, UNTOLD), (1, 1, UNTOLD), (None, None, UNTOLD)],
)
def test_a_concordance_of_few_positive_or_negative_cases_cannot_be_told(positive, negative, status):
    compared = (positive or 0) + (negative or 0) or 2
    known = {"positive": positive, "negative": negative, "agreeing": compared, "compared": compared}

    assert _check("cap-concordance-90", **known).status is status


def test_a_concordance_of_few_cases_says_how_few_and_with_whom():
    known = {"positive": 1, "negative": 1, "agreeing": 2, "compared": 2}

    check = _check("cap-concordance-90", **known, held_against="the majority of the readers")

    assert check.found == (
        "the call of the majority of the readers in 2 of 2 (100.0 %); 1 positive and 1 negative cases "
        "are too few to tell"
    )
    assert check.does_not_check.startswith("agreement with anybody but the majority of the readers")


def test_a_concordance_is_printed_with_its_numbers():
    known = {"positive": 30, "negative": 30, "agreeing": 57, "compared": 60, "held_against": "AB"}

    assert _check("cap-concordance-90", **known).found == "the call of AB in 57 of 60 (95.0 %)"


@pytest.mark.parametrize(
    ("cases", "further", "status"),
    [
        pytest.param(60, 0, MET, id="60 cases"),
        pytest.param(59, 0, NOT_MET, id="59 cases"),
        pytest.param(79, 1, NOT_MET, id="79 cases for two applications"),
        pytest.param(80, 1, MET, id="80 cases for two applications"),
    ],
)
def test_cases_for_whole_slide_imaging(cases, further, status):
    repeated = (RepeatedReads("a", cases, cases, None),)

    check = _check("cap-wsi-60-cases", repeated=repeated, further_applications=further)

    assert check.status is status


def test_cases_that_several_readers_repeat_do_not_add_up():
    repeated = tuple(RepeatedReads(f"r{i}", cases, cases, None) for i, cases in enumerate([40, 45, 30]))

    check = _check("cap-wsi-60-cases", repeated=repeated)

    assert (check.status, check.found) == (
        NOT_MET,
        "r1 called 45 cases in both of two sessions, and no other reader more",
    )


@pytest.mark.parametrize(
    ("days", "status"),
    [
        pytest.param([14, 30], MET, id="two weeks and more"),
        pytest.param([13, 30], NOT_MET, id="one reader a day too early"),
        pytest.param([14, None], UNTOLD, id="one reader without dates"),
        pytest.param([13, None], NOT_MET, id="too early, whatever the other's dates"),
        pytest.param([None], UNTOLD, id="no dates"),
        pytest.param([], UNTOLD, id="nobody read twice"),
    ],
)
def test_washout_on_and_beside_two_weeks(days, status):
    repeated = tuple(RepeatedReads(f"reader{i}", 60, 60, number) for i, number in enumerate(days))

    assert _check("cap-wsi-washout", repeated=repeated).status is status


def test_washout_names_the_readers_who_were_too_early():
    repeated = (RepeatedReads("late", 60, 60, 20), RepeatedReads("early", 60, 60, 3))

    assert _check("cap-wsi-washout", repeated=repeated).found.endswith("early (3)")


@pytest.mark.parametrize(
    ("reads", "status"),
    [
        pytest.param([(60, 57)], MET, id="exactly 95 %"),
        pytest.param([(60, 56)], NOT_MET, id="one case less: to be investigated"),
        pytest.param([(60, 60), (20, 18)], NOT_MET, id="one reader of two"),
        pytest.param([(0, 0)], UNTOLD, id="a reader without repeated cases"),
        pytest.param([], UNTOLD, id="nobody read twice"),
    ],
)
def test_intra_observer_agreement_on_and_beside_95_per_cent(reads, status):
    repeated = tuple(RepeatedReads(f"reader{i}", *numbers, None) for i, numbers in enumerate(reads))

    assert _check("cap-wsi-intra-observer-95", repeated=repeated).status is status


def test_every_check_has_a_name_of_its_own_and_says_what_it_does_not_check():
    checks = study_checks(_facts())

    assert len({check.name for check in checks}) == len(checks)
    assert all(check.does_not_check and check.needed and check.source and check.found for check in checks)
    assert all(check.status is UNTOLD for check in checks)


@pytest.mark.parametrize(
    "known",
    [{"positive": -1}, {"compared": 3, "agreeing": 4}, {"further_applications": -1}],
    ids=["fewer than no cases", "more agree than were compared", "fewer than no applications"],
)
def test_impossible_studies_are_refused(known):
    with pytest.raises(ValueError, match="cases"):
        _facts(**known)


@pytest.mark.parametrize(("reader", "cases", "agreeing"), [("", 1, 1), ("a", 1, 2)])
def test_impossible_repeats_are_refused(reader, cases, agreeing):
    with pytest.raises(ValueError, match="need a reader"):
        RepeatedReads(reader, cases, agreeing, None)
