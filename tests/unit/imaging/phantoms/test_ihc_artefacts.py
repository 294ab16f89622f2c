"""Artefacts of IHC phantoms: the mask tells where the picture is spoilt, and by what."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pytest

from her2path.imaging.artefacts import ArtefactKind, artefact_code
from her2path.imaging.phantoms.ihc import IhcPhantom, compose_ihc, render_ihc
from her2path.imaging.phantoms.ihc_artefacts import INKS
from her2path.imaging.phantoms.ihc_detail import ArtefactSpec, TissueDetail
from her2path.imaging.phantoms.ihc_random import random_artefact
from her2path.imaging.phantoms.ihc_spec import SCORE_PRESETS, IhcPhantomSpec

SMALL = IhcPhantomSpec(
    seed=21,
    width_px=320,
    height_px=280,
    mpp=0.5,
    classes=SCORE_PRESETS["2+"],
    detail=TissueDetail(),
    artefacts=(),
)
CLEAN = render_ihc(SMALL)


@cache
def marred_by(kind: ArtefactKind, *, variant: int = 0) -> IhcPhantom:
    place = ArtefactSpec(kind, size_um=40.0, variant=variant)
    return render_ihc(replace(SMALL, artefacts=(place,)))


@pytest.mark.parametrize(
    ("kind", "variant"),
    [
        *((kind, 0) for kind in ArtefactKind),
        *((ArtefactKind.DEBRIS, variant) for variant in (1, 2, 3)),
        (ArtefactKind.PIGMENT, 1),
    ],
)
def test_the_mask_covers_what_differs_from_the_clean_picture(kind, variant):
    marred = marred_by(kind, variant=variant)
    change = np.abs(marred.rgb.astype(int) - CLEAN.rgb).max(axis=-1)
    mask = marred.scene.artefacts == artefact_code(kind)
    assert 0.003 < mask.mean() < 0.95
    # Blocks of the JPEG and the sharpening carry a change a few pixels further.
    near = cv2.dilate(mask.astype(np.uint8), np.ones((17, 17), np.uint8)) > 0
    assert (change[~near] > 20).mean() < 1e-3
    assert change[mask].mean() > 2 * change[~near].mean()


@pytest.mark.parametrize("kind", list(ArtefactKind))
def test_an_artefact_leaves_the_truth_of_the_cells_alone(kind):
    scene = marred_by(kind).scene
    assert scene.truth == CLEAN.truth
    assert np.array_equal(scene.labels, CLEAN.labels)
    assert np.array_equal(scene.nuclei, CLEAN.scene.nuclei)
    assert np.array_equal(scene.membrane, CLEAN.scene.membrane)


def test_a_phantom_without_artefacts_has_an_empty_mask():
    assert not CLEAN.scene.artefacts.any()
    assert CLEAN.scene.ink is None
    assert not CLEAN.scene.lenses


def test_the_later_of_two_artefacts_lies_on_top():
    both = (
        ArtefactSpec(ArtefactKind.OUT_OF_FOCUS, size_um=80),
        ArtefactSpec(ArtefactKind.PEN, size_um=30),
    )
    mask = compose_ihc(replace(SMALL, artefacts=both)).artefacts
    codes = {artefact_code(artefact.kind) for artefact in both}
    assert set(np.unique(mask)) == {0, *codes}
    assert mask[140, 160] == artefact_code(ArtefactKind.PEN)


@pytest.mark.parametrize("variant", range(len(INKS)))
def test_ink_has_its_colour_on_glass(variant):
    glass = replace(SMALL, island=True, width_px=256, height_px=256, artefacts=())
    place = ArtefactSpec(ArtefactKind.PEN, 0.04, 0.5, 30.0, angle_rad=np.pi / 2, variant=variant)
    stroke = render_ihc(replace(glass, artefacts=(place,))).rgb[100:156, 4:16].reshape(-1, 3).mean(axis=0)
    # The channel that the ink absorbs most is the darkest.
    assert np.argmin(stroke) == np.argmax(INKS[variant])


def test_a_fold_adds_the_stains_of_the_tissue_over_it():
    scene = marred_by(ArtefactKind.FOLD).scene
    inside = scene.artefacts > 0
    clean = CLEAN.scene.hematoxylin + CLEAN.scene.dab
    assert (scene.hematoxylin + scene.dab)[inside].mean() > 1.6 * clean.mean()


def test_a_region_out_of_focus_loses_its_fine_detail():
    marred = marred_by(ArtefactKind.OUT_OF_FOCUS)
    inside = marred.scene.artefacts > 0
    sharp, soft = (
        np.abs(cv2.Laplacian(rgb[..., 1].astype(np.float32), cv2.CV_32F))[inside].mean()
        for rgb in (CLEAN.rgb, marred.rgb)
    )
    assert soft < 0.6 * sharp


@pytest.mark.parametrize("kind", list(ArtefactKind))
def test_artefacts_drawn_at_random_lie_in_the_image(kind):
    for seed in range(8):
        drawn = random_artefact(np.random.default_rng(seed), kind, 192.0)
        assert drawn.kind is kind
        assert 0 <= drawn.x_frac <= 1
        assert 0 <= drawn.y_frac <= 1
        assert drawn.size_um <= 96


@pytest.mark.parametrize("change", [{"size_um": 0.0}, {"strength": -1.0}, {"variant": -1}])
def test_an_artefact_without_size_or_strength_is_refused(change):
    with pytest.raises(ValueError, match="."):
        ArtefactSpec(ArtefactKind.PEN, **change)
