"""Lifelike IHC phantoms: what is no tumour and no membrane is not in their truth as such."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from her2path.domain.ihc import Intensity, Pattern
from her2path.imaging.phantoms.ihc import IhcScene, compose_ihc, render_ihc
from her2path.imaging.phantoms.ihc_detail import TissueDetail
from her2path.imaging.phantoms.ihc_nuclei import CellKind
from her2path.imaging.phantoms.ihc_random import random_spec
from her2path.imaging.phantoms.ihc_spec import SCORE_PRESETS, ClassShare, IhcPhantomSpec
from her2path.imaging.phantoms.ihc_truth import shared_borders

PLAIN = TissueDetail()
SMALL = IhcPhantomSpec(seed=11, width_px=400, height_px=360, mpp=0.5, detail=PLAIN)


def compose(**detail: float) -> IhcScene:
    return compose_ihc(replace(SMALL, detail=replace(PLAIN, **detail)))


def pixels_of(scene: IhcScene, kind: CellKind) -> np.ndarray:
    """Where the uppermost nucleus is of a kind."""
    return (scene.nucleus_kind[scene.nuclei] == tuple(CellKind).index(kind)) & (scene.nuclei > 0)


def test_same_random_spec_gives_the_same_bytes():
    first, second = (render_ihc(random_spec(500_003, size_px=256)) for _ in range(2))
    assert first.rgb.tobytes() == second.rgb.tobytes()
    for name, values in first.cells.columns().items():
        assert values.tobytes() == second.cells.columns()[name].tobytes(), name


def test_cells_of_benign_ducts_are_no_tumour_cells():
    scene = compose(ducts_per_mm2=60)
    benign = pixels_of(scene, CellKind.BENIGN)
    assert benign.sum() > 500
    assert not scene.labels[benign].any()
    assert (scene.cells.kind == "benign").sum() > 20
    assert scene.truth.expressed.total == scene.truth.tumour_cells == (scene.cells.kind == "tumour").sum()


def test_remains_of_nuclei_in_necrosis_are_no_tumour_cells():
    scene = compose(necrosis_fraction=0.3)
    necrotic = pixels_of(scene, CellKind.NECROTIC)
    assert (scene.cells.kind == "necrotic").sum() > 50
    assert (scene.labels[necrotic] > 0).mean() < 0.05
    assert scene.truth.tumour_cells < compose().truth.tumour_cells


def test_fat_is_empty_but_for_thin_walls():
    scene, without = compose(fat_fraction=0.5), compose()
    assert scene.truth.tumour_cells < 0.8 * without.truth.tumour_cells
    assert (scene.hematoxylin < 0.01).mean() > (without.hematoxylin < 0.01).mean() + 0.25


def test_mucus_in_lumens_is_no_cell():
    glands = replace(SMALL, architecture="glandular", tumour_fraction=0.8)
    empty, full = (
        compose_ihc(replace(glands, detail=replace(PLAIN, lumen_content=content))) for content in (0.0, 1.5)
    )
    assert full.hematoxylin.sum() > empty.hematoxylin.sum()
    assert np.array_equal(full.nuclei, empty.nuclei)
    assert np.array_equal(full.labels, empty.labels)


def test_lymphocytes_crowd_in_aggregates():
    without = (compose().cells.kind == "lymphocyte").sum()
    assert (compose(aggregates_per_mm2=40).cells.kind == "lymphocyte").sum() > 2 * without


def test_red_cells_are_grey_and_no_nuclei():
    scene, without = compose(red_cells_per_mm2=800), compose()
    assert (scene.neutral - without.neutral).max() > 0.1
    assert np.array_equal(scene.nuclei, without.nuclei)
    assert np.array_equal(scene.dab, without.dab)


@pytest.mark.parametrize("where", ["cytoplasm_dab_od", "nuclear_dab_od", "stroma_dab_od", "edge_dab_od"])
def test_stain_elsewhere_leaves_membranes_and_truth_alone(where):
    stained, clean = (
        compose_ihc(
            replace(
                SMALL,
                classes=SCORE_PRESETS["1+"],
                background_fraction=0.2,
                detail=replace(PLAIN, **{where: od}),
            )
        )
        for od in (0.3, 0.0)
    )
    assert stained.dab.mean() > clean.dab.mean() + 0.002
    assert np.array_equal(stained.membrane, clean.membrane)
    assert stained.truth == clean.truth


def test_nuclear_stain_lies_on_tumour_nuclei():
    more = compose(nuclear_dab_od=0.4).dab - compose().dab
    scene = compose()
    tumour = (scene.nucleus_cell[scene.nuclei] > 0) & (scene.nuclei > 0)
    assert more[tumour].mean() > 0.2
    assert more[scene.nuclei == 0].mean() < 0.02


def test_chromogen_that_spreads_fills_strong_cells_and_covers_their_nuclei():
    strong = replace(SMALL, classes=(ClassShare(Intensity.STRONG, Pattern.COMPLETE, 1.0),))
    tight, spread = (
        compose_ihc(replace(strong, detail=replace(PLAIN, dab_spread=share))) for share in (0.1, 0.6)
    )
    inside = (tight.labels > 0) & (tight.membrane < 0.02)
    nuclei = (tight.nuclei > 0) & (tight.labels > 0) & (tight.membrane < 0.02)
    assert spread.dab[inside].mean() > 3 * tight.dab[inside].mean()
    assert spread.dab[nuclei].mean() > 0.6 * spread.dab[inside].mean()
    assert spread.truth == tight.truth


def test_crowded_nuclei_touch_and_overlap():
    def touching(crowding: float) -> float:
        """Pairs of nuclei side by side, per nucleus."""
        scene = compose(crowding=crowding)
        return len(shared_borders(scene.nuclei, mpp=0.5)) / len(scene.nucleus_kind)

    assert touching(1.0) > 3 * touching(0.0)
    assert touching(1.0) > 0.2


def test_single_files_are_thinner_than_nests():
    def width(architecture: str) -> float:
        scene = compose_ihc(replace(SMALL, architecture=architecture, cell_diameter_um=11.0))
        inside = scene.labels > 0
        border = inside & ~(np.roll(inside, 1, 0) & np.roll(inside, 1, 1))
        return float(inside.sum() / max(border.sum(), 1))

    assert width("trabecular") < 0.75 * width("solid")


def test_cells_without_cohesion_share_few_borders():
    def neighbours(architecture: str) -> float:
        scene = compose_ihc(replace(SMALL, architecture=architecture))
        return len(shared_borders(scene.labels, mpp=0.5)) / scene.truth.tumour_cells

    assert neighbours("discohesive") < 0.5 * neighbours("solid")


def test_tall_epithelium_narrows_the_lumens():
    glands = replace(SMALL, architecture="glandular", tumour_fraction=0.8)
    low, high = (
        (compose_ihc(replace(glands, detail=replace(PLAIN, epithelium_um=um))).labels > 0).mean()
        for um in (14.0, 40.0)
    )
    assert high > low + 0.1


@pytest.mark.parametrize(
    "change",
    [{"crowding": 1.2}, {"relief": -0.1}, {"epithelium_um": 2.0}, {"mitoses": 0.5}],
    ids=lambda change: next(iter(change)),
)
def test_a_detail_that_means_nothing_is_refused(change):
    with pytest.raises(ValueError, match=next(iter(change)).split("_")[0]):
        replace(PLAIN, **change)
