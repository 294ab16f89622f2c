"""What of a nucleus's spots counts as a signal, and the group of exact totals."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.sparse.csgraph import connected_components

from her2path.domain.guideline.breast_2018 import BREAST_2018
from her2path.domain.guideline.rules import decide
from her2path.domain.ish import IshGroup, IshReading, SignalSummary
from her2path.imaging.phantoms.fish_truth import group_of, resolvable_count


@pytest.mark.parametrize(
    ("x_um", "clusters", "expected"),
    [
        pytest.param([], [], 0, id="no spot"),
        pytest.param([0.0], [0], 1, id="one spot"),
        pytest.param([0.0, 0.49], [0, 0], 1, id="split signal"),
        pytest.param([0.0, 0.5], [0, 0], 1, id="exactly one diameter apart"),
        pytest.param([0.0, 0.51], [0, 0], 2, id="just further than one diameter"),
        pytest.param([0.0, 0.4, 0.8, 1.2], [0, 0, 0, 0], 1, id="a chain of spots"),
        pytest.param([0.0, 0.8, 0.4], [0, 0, 0], 1, id="two spots joined by a third"),
        pytest.param([0.0, 0.1, 0.2, 0.3, 5.0], [1, 1, 1, 1, 0], 5, id="cluster of four and one signal"),
        pytest.param([0.0, 0.1, 0.2, 0.3, 0.6], [1, 1, 1, 1, 0], 4, id="signal lost in a cluster"),
        pytest.param([0.0, 2.0, 4.0], [1, 1, 1], 3, id="loose cluster"),
    ],
)
def test_signals_that_can_be_told_apart(x_um, clusters, expected):
    spots = np.array([[0.0, x] for x in x_um], dtype=np.float64).reshape(-1, 2)
    assert resolvable_count(spots, clusters, merge_um=0.5) == expected


def test_spots_and_cluster_marks_must_be_of_one_length():
    with pytest.raises(ValueError, match="2 spots but 1"):
        resolvable_count(np.zeros((2, 2)), [0], merge_um=0.5)


@pytest.mark.parametrize(
    ("her2", "cep17", "expected"),
    [
        pytest.param(80, 40, IshGroup.GROUP_1, id="ratio 2.00, copies 4.0"),
        pytest.param(79, 39, IshGroup.GROUP_2, id="ratio 2.03, copies 3.95"),
        pytest.param(120, 61, IshGroup.GROUP_3, id="ratio 1.97, copies 6.0"),
        pytest.param(119, 60, IshGroup.GROUP_4, id="ratio 1.98, copies 5.95"),
        pytest.param(80, 41, IshGroup.GROUP_4, id="ratio 1.95, copies 4.0"),
        pytest.param(79, 40, IshGroup.GROUP_5, id="ratio 1.98, copies 3.95"),
        pytest.param(40, 0, None, id="no CEP17 signal"),
        pytest.param(40, None, None, id="single probe"),
    ],
)
def test_group_on_and_beside_each_cut(her2, cep17, expected):
    assert group_of(SignalSummary(20, her2, cep17)) is expected


def test_a_field_without_nuclei_has_no_group():
    assert group_of(SignalSummary(0, 0, 0)) is None


def test_the_truth_agrees_with_the_guideline_on_the_whole_lattice():
    # The truth has its own words for the groups so that it can convict the rules; here they meet.
    nuclei = 5
    for her2, cep17 in product(range(8 * nuclei), range(1, 6 * nuclei)):
        summary = SignalSummary(nuclei, her2, cep17)
        group = group_of(summary)
        assert group is not None
        assert decide(IshReading(summary), BREAST_2018.ish_dual).conclusion.name == group.name


def test_merging_agrees_with_connected_components():
    rng = np.random.default_rng(1)
    for _ in range(50):
        spots = rng.uniform(0, 4, (int(rng.integers(1, 25)), 2))
        near = np.hypot(*(spots[:, None] - spots[None]).transpose(2, 0, 1)) <= 0.5
        expected = connected_components(near)[0]
        assert resolvable_count(spots, [0] * len(spots), merge_um=0.5) == expected
