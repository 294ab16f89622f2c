"""Which nuclei are scored, and their sums."""

from __future__ import annotations

import pytest

from her2path.imaging.fish.counting import GLOW, count_nuclei


@pytest.mark.parametrize(
    ("signals", "reason"),
    [
        pytest.param([("her2", 2), ("cep17", 1)], None, id="both colours: scored"),
        pytest.param([("her2", 2)], "no_cep17_signal", id="no green signal"),
        pytest.param([("cep17", 2)], "no_her2_signal", id="no orange signal"),
        pytest.param([], "colourless", id="no signal at all"),
        pytest.param([("her2", 0), ("cep17", 2)], "no_her2_signal", id="a weak signal is none"),
        pytest.param([("her2", 2), ("cep17", 2), (GLOW, 0)], "obscured", id="a blood cell lies over it"),
    ],
)
def test_only_nuclei_with_a_signal_of_each_colour_are_scored(signals, reason):
    rows = [(1, role, copies, False) for role, copies in signals]
    assert count_nuclei([1], [None], rows, dual=True)[0].exclusion == reason


def test_a_reason_of_shape_outweighs_one_of_colour():
    assert count_nuclei([1], ["cut_off"], [], dual=True)[0].exclusion == "cut_off"


def test_a_single_probe_needs_no_cep17_and_reports_none():
    count = count_nuclei([1], [None], [(1, "her2", 3, False)], dual=False)[0]
    assert (count.her2, count.cep17, count.exclusion) == (3, None, None)


def test_clusters_add_their_copies_and_are_counted_as_clusters():
    rows = [(7, "her2", 8, True), (7, "her2", 1, False), (7, "cep17", 2, False), (0, "her2", 1, False)]
    count = count_nuclei([7], [None], rows, dual=True)[0]
    assert (count.her2, count.cep17, count.her2_clusters) == (9, 2, 1)


@pytest.mark.parametrize("role", ["her2", "cep17", GLOW])
def test_a_signal_of_a_nucleus_that_does_not_exist_is_never_dropped_in_silence(role):
    with pytest.raises(ValueError, match="nucleus 8"):
        count_nuclei([7], [None], [(8, role, 1, False)], dual=True)
