from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from her2path.domain.case import Specimen
from her2path.domain.flags import Flag
from her2path.domain.guideline.registry import GUIDELINES
from her2path.domain.guideline.rules import decide
from her2path.domain.ihc import IhcReading, IhcScore, IhcTally, Intensity, Pattern, Reactivity
from her2path.domain.ihc_chances import (
    TOO_LITTLE_TISSUE,
    ScoreChances,
    Tallies,
    deciding_share,
    score_chances,
    uncertainty_flags,
)
from her2path.domain.low_expression import low_expression
from her2path.domain.verdict import NotEvaluable, State
from her2path.errors import RuleSetError

STAININGS = tuple(product(Intensity, Pattern))
CAN_BE = np.array([(i is Intensity.NONE) == (p is Pattern.NONE) for i, p in STAININGS])
BREAST, STOMACH = GUIDELINES["breast_2023"], GUIDELINES["gastroesophageal_2016"]


def drawn(seed: int, *, draws: int = 300) -> np.ndarray:
    """Tallies around all the cuts, many of them on one."""
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.full(CAN_BE.sum(), 0.15), size=draws)
    found = np.zeros((draws, len(STAININGS)), np.int64)
    found[:, CAN_BE] = np.rint(20 * shares) * 5
    found[:, 0] += 5 * (found.sum(axis=1) == 0)
    return found


def reading(counts, specimen=Specimen.RESECTION, **more) -> IhcReading:
    tally = {staining: int(n) for staining, n in zip(STAININGS, counts, strict=True) if n}
    return IhcReading(IhcTally(tally), Fraction(1, 100), specimen=specimen, **more)


@pytest.mark.parametrize("guideline", GUIDELINES.values(), ids=lambda g: g.id)
def test_drawn_tallies_are_scored_as_the_guideline_scores_each_of_them(guideline):
    tallies = drawn(500_002)
    found = score_chances(reading(tallies[0]), guideline, Tallies(STAININGS, tallies))
    scores = [decide(reading(counts), guideline.ihc).conclusion.score for counts in tallies]
    assert dict(found.scores) == {score: scores.count(score) / len(tallies) for score in found.scores}


def test_rules_that_leave_a_gap_give_no_chances():
    tallies = drawn(500_004)
    gap = replace(BREAST, ihc=BREAST.ihc[1:])
    with pytest.raises(RuleSetError, match="not exactly one rule"):
        score_chances(reading(tallies[0]), gap, Tallies(STAININGS, tallies))


def test_categories_are_those_of_the_overlay():
    tallies = drawn(500_003)
    found = score_chances(reading(tallies[0]), BREAST, Tallies(STAININGS, tallies)).categories
    states = {"3+": State.POSITIVE, "2+": State.NEEDS_ISH, "1+": State.NEGATIVE, "0": State.NEGATIVE}
    names = []
    for counts in tallies:
        score = decide(reading(counts), BREAST.ihc).conclusion.score
        overlay = low_expression(states[score], score, reading(counts), BREAST)
        names.append(str(states[score]) if overlay is None else str(overlay.category))
    assert dict(found) == {name: names.count(name) / len(names) for name in found}
    assert sum(found.values()) == pytest.approx(1)


def test_a_guideline_without_categories_states_none():
    tallies = drawn(500_004)
    assert not score_chances(reading(tallies[0]), STOMACH, Tallies(STAININGS, tallies)).categories


def test_a_biopsy_that_is_scored_by_clusters_has_no_chances():
    tallies = drawn(500_005)
    clusters = {Reactivity.FAINT: 0}
    biopsy = reading(tallies[0], specimen=Specimen.BIOPSY, clusters=clusters)
    found = score_chances(biopsy, STOMACH, Tallies(STAININGS, tallies))
    assert isinstance(found, NotEvaluable)
    assert uncertainty_flags(IhcScore.ZERO, biopsy, found) == ()


@pytest.mark.parametrize(
    ("share", "flags"),
    [
        pytest.param(0.9, (), id="nine in ten"),
        pytest.param(0.8995, (Flag.SCORE_UNCERTAIN,), id="a drawing fewer"),
    ],
)
def test_a_score_is_uncertain_below_nine_in_ten(share, flags):
    chances = ScoreChances({IhcScore.ONE_PLUS: share, IhcScore.ZERO: 1 - share}, {})
    assert uncertainty_flags(IhcScore.ONE_PLUS, reading(drawn(500_006)[0]), chances) == flags


def test_a_certain_zero_can_have_an_uncertain_category():
    counts = np.zeros(len(STAININGS), np.int64)
    counts[0], counts[STAININGS.index((Intensity.FAINT, Pattern.INCOMPLETE))] = 980, 20
    chances = ScoreChances({IhcScore.ZERO: 1.0}, {"ultralow": 0.6, "null": 0.4})
    assert uncertainty_flags(IhcScore.ZERO, reading(counts), chances) == (Flag.CATEGORY_UNCERTAIN,)


def test_too_little_tissue_is_flagged():
    flags = uncertainty_flags(IhcScore.ZERO, reading(drawn(500_007)[0]), TOO_LITTLE_TISSUE)
    assert flags == (Flag.TOO_LITTLE_TISSUE,)


@pytest.mark.parametrize(
    ("guideline", "rule", "share"),
    [
        ("breast_2018", "IHC-3", "pct_complete_intense"),
        ("breast_2018", "IHC-2-COMPLETE", "pct_complete"),
        ("breast_2018", "IHC-2-FOCAL", "pct_complete_intense"),
        ("breast_2018", "IHC-1-CUMULATED", "pct_stained"),
        ("breast_2018", "IHC-0-ABSENT", "pct_stained"),
        ("gastroesophageal_2016", "IHC-2-RESECTION", "pct_weak_moderate"),
        ("gastroesophageal_2016", "IHC-3-BIOPSY", "pct_strong"),
    ],
)
def test_the_percentage_that_carried_a_score(guideline, rule, share):
    (found,) = (r for r in GUIDELINES[guideline].ihc if r.id == rule)
    assert deciding_share(found).name == share
