from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from her2path.domain.ihc import (
    IhcReading,
    IhcTally,
    Intensity,
    Pattern,
    Reactivity,
    StainingClass,
    exact_share,
    staining_class,
    tally_of_percentages,
)

STRONG_COMPLETE = (Intensity.STRONG, Pattern.COMPLETE)
UNSTAINED = (Intensity.NONE, Pattern.NONE)


@pytest.mark.parametrize(
    ("intensity", "pattern", "expected"),
    [
        (Intensity.NONE, Pattern.NONE, "none"),
        (Intensity.FAINT, Pattern.INCOMPLETE, "incomplete_faint"),
        (Intensity.FAINT, Pattern.COMPLETE, "incomplete_faint"),
        (Intensity.WEAK, Pattern.BASOLATERAL, "incomplete_faint"),
        (Intensity.WEAK, Pattern.COMPLETE, "complete_weak_moderate"),
        (Intensity.MODERATE, Pattern.COMPLETE, "complete_weak_moderate"),
        (Intensity.MODERATE, Pattern.INCOMPLETE, "incomplete_moderate_intense"),
        (Intensity.STRONG, Pattern.BASOLATERAL, "incomplete_moderate_intense"),
        (Intensity.STRONG, Pattern.COMPLETE, "complete_intense"),
    ],
)
def test_a_cell_in_the_words_of_the_guideline(intensity, pattern, expected):
    assert staining_class(intensity, pattern) == expected


def test_counts_that_are_no_counts_are_refused():
    for n in (-1, 1.0, True):
        with pytest.raises(ValueError, match="integers >= 0"):
            IhcTally({STRONG_COMPLETE: n})  # type: ignore[dict-item]


def test_contradictory_staining_is_refused():
    with pytest.raises(ValueError, match="contradictory"):
        IhcTally({(Intensity.NONE, Pattern.COMPLETE): 1})


def test_tallies_add_up_and_stay_as_they_were():
    a, b = IhcTally({STRONG_COMPLETE: 2}), IhcTally({STRONG_COMPLETE: 1, UNSTAINED: 5})

    assert dict((a + b).counts) == {STRONG_COMPLETE: 3, UNSTAINED: 5}
    assert (a.total, b.total) == (2, 6)


def test_h_score_weighs_cells_by_their_own_score():
    assert IhcTally({STRONG_COMPLETE: 1, UNSTAINED: 3}).h_score == 75.0
    assert IhcTally({}).h_score is None


def test_percentages_become_exact_integers():
    tally = tally_of_percentages(
        {StainingClass.INCOMPLETE_FAINT: Decimal("0.1"), StainingClass.NONE: Decimal("99.9")}
    )

    assert sorted(tally.counts.values()) == [1, 999]


@pytest.mark.parametrize(
    "pct",
    [
        pytest.param({StainingClass.NONE: Decimal("99.999999999")}, id="a little less than 100"),
        pytest.param({StainingClass.NONE: Decimal(101)}, id="more than 100"),
        pytest.param({}, id="nothing"),
        pytest.param({StainingClass.NONE: Decimal("NaN")}, id="not a number"),
        pytest.param({StainingClass.NONE: Decimal("Infinity")}, id="infinite"),
        pytest.param(
            {StainingClass.NONE: Decimal(110), StainingClass.INCOMPLETE_FAINT: Decimal(-10)}, id="negative"
        ),
    ],
)
def test_percentages_that_are_none_are_refused(pct):
    with pytest.raises(ValueError, match="percentage"):
        tally_of_percentages(pct)


def test_a_share_is_read_by_its_digits_not_by_its_binary_neighbour():
    assert exact_share(0.1) == Fraction(1, 1000)
    assert exact_share(Decimal("0.3")) == Fraction(3, 1000)


@pytest.mark.parametrize("blank", [Fraction(-1, 10), Fraction(11, 10)])
def test_a_limit_of_blank_that_is_no_share_is_refused(blank):
    with pytest.raises(ValueError, match="limit of blank"):
        IhcReading(IhcTally({UNSTAINED: 1}), limit_of_blank=blank)


@pytest.mark.parametrize("cells", [-1, 2.5, True])
def test_a_cluster_is_a_number_of_cells(cells):
    with pytest.raises(ValueError, match="clusters are cells"):
        IhcReading(IhcTally({UNSTAINED: 1}), clusters={Reactivity.STRONG: cells})


def test_a_cluster_of_strong_cells_is_a_cluster_of_weaker_cells_too():
    with pytest.raises(ValueError, match="cannot be larger"):
        IhcReading(IhcTally({UNSTAINED: 1}), clusters={Reactivity.STRONG: 6, Reactivity.FAINT: 5})


@pytest.mark.parametrize(
    ("clusters", "level", "size"),
    [
        pytest.param(None, Reactivity.STRONG, 0, id="without a strong cell there is no strong cluster"),
        pytest.param(None, Reactivity.FAINT, None, id="faint cells whose clusters nobody stated"),
        pytest.param({Reactivity.FAINT: 7}, Reactivity.FAINT, 7, id="stated"),
        pytest.param({Reactivity.STRONG: 0}, Reactivity.FAINT, None, id="another level is stated"),
    ],
)
def test_a_cluster_that_nobody_stated_is_not_known_unless_no_cell_could_be_in_it(clusters, level, size):
    tally = IhcTally({(Intensity.FAINT, Pattern.INCOMPLETE): 10, UNSTAINED: 90})

    assert IhcReading(tally, clusters=clusters).largest_cluster(level) == size
