"""How many copies a nucleus has and where its spots lie."""

from __future__ import annotations

import numpy as np
import pytest

from her2path.imaging.phantoms.fish_layout import layout_nuclei
from her2path.imaging.phantoms.fish_probes import draw_copies, place_copies
from her2path.imaging.phantoms.fish_spec import FishPhantomSpec
from her2path.imaging.phantoms.fish_truth import NucleusKind, SignalChannel


@pytest.mark.parametrize(
    ("mean", "fano"),
    [
        pytest.param(2.4, 1.0, id="Poisson"),
        pytest.param(7.4, 0.6, id="binomial"),
        pytest.param(1.1, 0.2, id="monosomy"),
        pytest.param(3.0, 0.0, id="fixed"),
    ],
)
def test_copies_have_the_mean_and_the_dispersion_asked_for(mean, fano):
    rng = np.random.default_rng(1)
    drawn = np.array([draw_copies(mean, fano, rng) for _ in range(4000)])
    section = drawn[:, 1]
    assert section.mean() == pytest.approx(mean, abs=4 * np.sqrt(mean / 4000) + 1e-9)
    # Rounding n up or down adds at most a quarter of a copy squared to the binomial variance.
    assert section.var() == pytest.approx(mean * fano, abs=0.25 + 0.1 * mean * fano)
    assert (drawn[:, 0] >= section).all()


def test_poisson_copies_are_as_spread_as_a_poisson_count():
    rng = np.random.default_rng(2)
    section = np.array([draw_copies(4.0, 1.0, rng)[1] for _ in range(8000)])
    assert section.var() / section.mean() == pytest.approx(1.0, abs=0.06)


def test_half_of_a_nucleus_is_lost_where_half_is_said_to_be():
    rng = np.random.default_rng(3)
    whole, section = np.array([draw_copies(3.0, 1.0, rng, poisson_loss=0.5) for _ in range(4000)]).T
    assert section.sum() / whole.sum() == pytest.approx(0.5, abs=0.02)


def test_copies_lie_inside_their_nucleus():
    spec = FishPhantomSpec(seed=4, her2_mean=14, cluster_fraction=0.7, width_px=400, height_px=400)
    layout = layout_nuclei(spec, np.random.default_rng(4))
    rng = np.random.default_rng(5)
    for shape in layout.shapes:
        for copy in place_copies(shape, spec, 1, rng).copies:
            row, col = copy.centre
            assert shape.depth[int(row) - shape.top, int(col) - shape.left] > 0
            assert abs(copy.z_um) <= 0.5 * spec.section_um + 1.5


def test_the_two_spots_of_a_replicated_copy_lie_within_one_signal_diameter():
    spec = FishPhantomSpec(seed=6, doublet_fraction=1.0, her2_mean=6)
    layout = layout_nuclei(spec, np.random.default_rng(6))
    rng = np.random.default_rng(7)
    copies = [c for shape in layout.shapes for c in place_copies(shape, spec, 1, rng).copies]
    assert copies
    for copy in copies:
        (r0, c0), (r1, c1) = copy.spots
        assert 0.1 < np.hypot(r1 - r0, c1 - c0) * spec.mpp <= spec.signal_diameter_um


def test_stroma_and_lymphocytes_stay_diploid_beside_amplified_tumour():
    spec = FishPhantomSpec(seed=8, her2_mean=20, tumour_share=0.5, width_px=1200, height_px=1200)
    layout = layout_nuclei(spec, np.random.default_rng(8))
    rng = np.random.default_rng(9)
    for shape in layout.shapes:
        nucleus = place_copies(shape, spec, 1, rng)
        if shape.kind is not NucleusKind.TUMOUR:
            assert nucleus.her2_whole == nucleus.cep17_whole == 2
            assert sum(c.channel is SignalChannel.HER2 for c in nucleus.copies) <= 2
