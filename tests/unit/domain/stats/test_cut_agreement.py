from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score, confusion_matrix

from her2path.domain.stats.cut_agreement import CUTS, CutQuantity, cut_agreement, upper_side

RATIO, COPIES_4, COPIES_6 = CUTS


@pytest.mark.parametrize(
    ("her2", "below", "cut", "expected"),
    [
        pytest.param(80, 40, 2, True, id="ratio 2.00: on the cut"),
        pytest.param(79, 40, 2, False, id="ratio 1.98"),
        pytest.param(80, 20, 4, True, id="copies 4.0: on the cut"),
        pytest.param(79, 20, 4, False, id="copies 3.95"),
        pytest.param(120, 20, 6, True, id="copies 6.0: on the cut"),
        pytest.param(119, 20, 6, False, id="copies 5.95"),
        pytest.param(0, 20, 4, False, id="no signal"),
    ],
)
def test_side_on_and_beside_each_cut(her2, below, cut, expected):
    assert upper_side(np.array([her2]), np.array([below]), cut).tolist() == [expected]


def test_cuts_are_those_of_the_dual_probe_groups():
    assert [(cut.quantity, cut.at) for cut in CUTS] == [
        (CutQuantity.RATIO, 2),
        (CutQuantity.COPIES, 4),
        (CutQuantity.COPIES, 6),
    ]


def test_small_integer_types_do_not_overflow():
    nuclei = np.array([100], dtype=np.int8)

    assert not upper_side(np.array([127], dtype=np.int8), nuclei, 6).any()


@pytest.mark.parametrize("seed", range(20))
def test_table_and_kappa_equal_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    nuclei = np.full(60, 20)
    candidate, comparator = rng.integers(60, 160, 60), rng.integers(60, 160, 60)

    result = cut_agreement(COPIES_6, (candidate, nuclei), (comparator, nuclei))

    sides = candidate >= 120, comparator >= 120
    expected = confusion_matrix(*sides, labels=[True, False])
    assert result.table == tuple(map(tuple, expected.tolist()))
    assert result.overall.value == pytest.approx((sides[0] == sides[1]).mean(), abs=1e-9)
    assert result.kappa.value == pytest.approx(cohen_kappa_score(*sides), abs=1e-9)
    assert result.positive.value == pytest.approx(expected[0, 0] / expected[:, 0].sum(), abs=1e-9)
    assert result.negative.value == pytest.approx(expected[1, 1] / expected[:, 1].sum(), abs=1e-9)


def test_counts_that_differ_on_the_same_side_agree():
    result = cut_agreement(
        RATIO, (np.array([200, 40]), np.array([40, 40])), (np.array([81, 70]), np.array([40, 40]))
    )

    assert result.table == ((1, 0), (0, 1))
    assert result.overall.value == 1.0
    assert result.overall_clopper_pearson.low < result.overall.low


def test_no_case_above_a_cut_is_no_share_of_none():
    low = (np.array([40, 50]), np.array([20, 20]))

    result = cut_agreement(COPIES_4, low, low)

    assert result.positive.value is None
    assert "at or above" in result.positive.why
    assert result.kappa.value is None
    assert result.negative.value == 1.0


def test_no_case_at_all_is_no_value_with_the_reason():
    none = (np.array([], dtype=int), np.array([], dtype=int))

    result = cut_agreement(RATIO, none, none)

    assert result.table == ((0, 0), (0, 0))
    assert result.overall.why == "there is no case"


@pytest.mark.parametrize(
    ("her2", "below"),
    [
        pytest.param([10], [0], id="no CEP17 signal: no ratio"),
        pytest.param([-1], [20], id="fewer than no signals"),
        pytest.param([10, 12], [20], id="a count without its nuclei"),
    ],
)
def test_counts_without_a_quotient_are_refused(her2, below):
    with pytest.raises(ValueError, match="divisors"):
        upper_side(np.array(her2), np.array(below), 2)
