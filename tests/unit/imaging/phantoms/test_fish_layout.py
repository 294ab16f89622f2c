"""Nuclei of a phantom: kinds, sizes, distances, overlaps."""

from __future__ import annotations

import numpy as np
import pytest

from her2path.imaging.phantoms.fish_account import cover_of
from her2path.imaging.phantoms.fish_layout import Layout, layout_nuclei
from her2path.imaging.phantoms.fish_spec import FishPhantomSpec
from her2path.imaging.phantoms.fish_truth import NucleusKind

WIDE = FishPhantomSpec(width_px=1600, height_px=1600, tumour_share=0.6)


@pytest.fixture(scope="module")
def layout() -> Layout:
    return layout_nuclei(WIDE, np.random.default_rng(1))


def _median_radius_um(layout: Layout, kind: NucleusKind) -> float:
    return float(np.median([s.radius_px for s in layout.shapes if s.kind is kind])) * WIDE.mpp


def test_tumour_nuclei_are_large_and_lymphocytes_small(layout):
    assert 4.5 < _median_radius_um(layout, NucleusKind.TUMOUR) < 6.5
    assert 2.5 < _median_radius_um(layout, NucleusKind.LYMPHOCYTE) < 3.8


def _elongations(layout: Layout, kind: NucleusKind) -> list[float]:
    found = []
    for shape in layout.shapes:
        if shape.kind is kind:
            narrow, wide = np.linalg.eigvalsh(np.cov(*np.nonzero(shape.mask)))
            found.append(float(np.sqrt(wide / narrow)))
    return found


def test_stroma_nuclei_are_long_and_the_others_round(layout):
    assert min(_elongations(layout, NucleusKind.STROMA)) > 1.5
    assert np.median(_elongations(layout, NucleusKind.STROMA)) > 2.5
    assert np.median(_elongations(layout, NucleusKind.TUMOUR)) < 1.5
    assert np.median(_elongations(layout, NucleusKind.LYMPHOCYTE)) < 1.4


def test_the_density_asked_for_is_reached(layout):
    side_mm = (1600 * WIDE.mpp + 10) / 1000
    assert len(layout.shapes) == pytest.approx(WIDE.nuclei_per_mm2 * side_mm**2, rel=0.06)


def test_no_nuclei_overlap_where_none_shall():
    spec = FishPhantomSpec(seed=2, overlap_share=0)
    assert cover_of(layout_nuclei(spec, np.random.default_rng(2))).max() == 1


def test_about_the_share_asked_for_overlaps(layout):
    cover = cover_of(layout)
    over = sum(bool((cover[s.box][s.mask] > 1).any()) for s in layout.shapes)
    assert over / len(layout.shapes) == pytest.approx(WIDE.overlap_share, abs=0.05)


@pytest.mark.parametrize("mpp", [0.1, 0.16, 0.25])
def test_sizes_are_micrometres_whatever_the_pixel(mpp):
    spec = FishPhantomSpec(mpp=mpp, width_px=round(200 / mpp), height_px=round(200 / mpp), tumour_share=1)
    shapes = layout_nuclei(spec, np.random.default_rng(3)).shapes
    assert 4.7 < float(np.median([s.radius_px for s in shapes])) * mpp < 6.2


def test_some_nuclei_reach_over_the_border(layout):
    inside = slice(layout.margin, layout.margin + 1600)
    field = cover_of(layout)[inside, inside]
    assert field[0].any()
    assert field[:, 0].any()
    assert field[-1].any()
    assert field[:, -1].any()
