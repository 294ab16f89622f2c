"""Shares that decide on a rejection: which signals and nuclei belong to which whole."""

from __future__ import annotations

from her2path.domain.count_quality import Part
from her2path.imaging.fish.rejection_metrics import MetNucleus, MetSignal, measure_quality


def nucleus(number: int, exclusion: str | None = None, x_um: float = 0.0) -> MetNucleus:
    return MetNucleus(number, x_um, 0.0, 100.0, exclusion)


def signal(nucleus_id: int, copies: int = 1, role: str = "her2", x_um: float = 0.0) -> MetSignal:
    return MetSignal(nucleus_id, role, copies, x_um, 0.0)


def test_weak_signals_of_a_nucleus_without_strong_ones_are_counted_as_weak():
    found = measure_quality(
        [nucleus(1), nucleus(2, "no_her2_signal")],
        [signal(1), signal(1, role="cep17"), signal(2, copies=0), signal(2, role="cep17")],
    )
    assert found.weak == Part(1, 4)


def test_nuclei_that_were_not_looked_at_have_no_part_in_weak_signals():
    found = measure_quality([nucleus(1), nucleus(2, "overlapping")], [signal(1, 3), signal(2, 0)])
    assert found.weak == Part(0, 3)


def test_signals_over_cytoplasm_are_set_against_those_of_all_nuclei_of_the_region():
    found = measure_quality(
        [nucleus(1), nucleus(2, "overlapping"), nucleus(3, "cut_off")],
        [signal(1, 4), signal(2, 5), signal(3, 1), signal(0), signal(0, role="cep17")],
    )
    assert found.cytoplasmic == Part(2, 12)


def test_a_drawn_region_leaves_out_signals_of_both_sides_of_the_share():
    found = measure_quality(
        [nucleus(1), nucleus(2, "outside_tumour_region", x_um=50.0)],
        [signal(1, 4), signal(2, 6), signal(0, x_um=8.0), signal(0, x_um=43.0)],
    )
    assert found.cytoplasmic == Part(1, 5)


def test_nuclei_that_overlap_are_met_but_not_unresolved():
    found = measure_quality(
        [nucleus(1), nucleus(2, "out_of_focus"), nucleus(3, "overlapping"), nucleus(4, "cut_off")], []
    )
    assert found.unresolved == Part(1, 3)


def test_glow_is_set_against_nuclei_of_fit_shape():
    found = measure_quality(
        [nucleus(1), nucleus(2, "obscured"), nucleus(3, "colourless"), nucleus(4, "elongated")],
        [signal(2, 0, role="glow")],
    )
    assert found.obscured == Part(1, 3)
    assert found.weak == Part(0, 0)
