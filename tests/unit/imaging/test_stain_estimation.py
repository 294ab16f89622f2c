"""Stain vectors of slides of all kinds of laboratories and scanners."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from her2path.imaging.phantoms.ihc import compose_ihc, photograph
from her2path.imaging.phantoms.ihc_spec import SCORE_PRESETS, STYLES, IhcPhantomSpec, StainStyle
from her2path.imaging.stain import RUIFROK_DAB, RUIFROK_HEMATOXYLIN
from her2path.imaging.stain_estimation import angle_deg, estimate_stain_model, estimate_stains

MPP = 0.5
ODD = {
    "grey DAB": StainStyle("grey DAB", (0.65, 0.68, 0.33), (0.42, 0.56, 0.71)),
    "violet scanner": StainStyle("violet scanner", (0.60, 0.66, 0.45), (0.36, 0.54, 0.76)),
    "blue scanner": StainStyle("blue scanner", (0.80, 0.54, 0.24), (0.38, 0.56, 0.73), (228.0, 238.0, 249.0)),
    "yellow DAB": StainStyle(
        "yellow DAB", (0.70, 0.64, 0.31), (0.22, 0.50, 0.84), noise=2.5, jpeg_quality=62
    ),
}


def composed(preset, **changes):
    settings = {"seed": 500_031, "width_px": 512, "height_px": 512, "mpp": MPP} | changes
    return compose_ihc(IhcPhantomSpec(classes=SCORE_PRESETS[preset], **settings))


@pytest.fixture(scope="module")
def scenes():
    return {preset: composed(preset) for preset in ("null", "2+", "3+")}


@pytest.mark.parametrize("style", [*STYLES.values(), *ODD.values()], ids=lambda style: style.name)
def test_both_vectors_are_found_whatever_the_laboratory_and_the_scanner(scenes, style):
    model = estimate_stain_model(photograph(scenes["2+"], style), mpp=MPP)
    assert (model.white_origin, model.hematoxylin_origin, model.dab_origin) == ("estimated",) * 3
    assert model.white == pytest.approx(style.white, abs=3)
    assert angle_deg(model.hematoxylin, style.hematoxylin) < 4
    assert angle_deg(model.dab, style.dab) < 5


def test_a_slide_without_brown_keeps_the_published_dab_vector_and_says_so(scenes):
    model = estimate_stain_model(photograph(scenes["null"], ODD["violet scanner"]), mpp=MPP)
    assert (model.dab, model.dab_origin, model.dab_weight) == (RUIFROK_DAB, "default", 0.0)
    assert model.hematoxylin_origin == "estimated"
    assert angle_deg(model.hematoxylin, ODD["violet scanner"].hematoxylin) < 4


def test_a_slide_of_nothing_but_dab_keeps_the_published_hematoxylin_vector(scenes):
    bare = replace(scenes["3+"], hematoxylin=np.zeros_like(scenes["3+"].hematoxylin))
    model = estimate_stain_model(photograph(bare, ODD["grey DAB"]), mpp=MPP)
    assert (model.hematoxylin, model.hematoxylin_origin) == (RUIFROK_HEMATOXYLIN, "default")
    assert angle_deg(model.dab, ODD["grey DAB"].dab) < 5


def test_few_brown_cells_move_the_published_vector_only_part_of_the_way():
    style = ODD["yellow DAB"]
    model = estimate_stain_model(photograph(composed("1+"), style), mpp=MPP)
    assert model.dab_origin == "blended"
    assert angle_deg(model.dab, style.dab) < angle_deg(RUIFROK_DAB, style.dab)


def test_a_slide_without_glass_is_bounded_by_its_lightest_places():
    style = STYLES["classic"]
    filled = composed("2+", background_fraction=0.0, tumour_fraction=1.0)
    model = estimate_stain_model(photograph(filled, style), mpp=MPP)
    assert model.white_origin in ("estimated", "lightest_tissue")
    assert model.white == pytest.approx(style.white, abs=12)
    assert angle_deg(model.dab, style.dab) < 5


def test_the_same_stain_is_found_at_another_pixel_size(scenes):
    rgb = photograph(scenes["3+"])
    coarse = estimate_stain_model(rgb, mpp=MPP)
    fine = estimate_stain_model(np.repeat(np.repeat(rgb, 2, axis=0), 2, axis=1), mpp=MPP / 2)
    assert angle_deg(coarse.dab, fine.dab) < 1
    assert angle_deg(coarse.hematoxylin, fine.hematoxylin) < 1


def test_glass_alone_keeps_both_published_vectors():
    blank = np.full((64, 64, 3), 240, np.uint8)
    model, _ = estimate_stains([blank], mpp=MPP, white=(240.0, 240.0, 240.0), white_origin="estimated")
    assert (model.hematoxylin, model.dab) == (RUIFROK_HEMATOXYLIN, RUIFROK_DAB)


def test_grey_specks_on_an_unstained_slide_are_not_taken_for_dab(scenes):
    grains = np.random.default_rng(3).random(scenes["null"].dab.shape) > 0.999
    dust = cv2.GaussianBlur(np.float32(12) * grains, (0, 0), 1.5)
    dusty = photograph(replace(scenes["null"], neutral=dust))
    model = estimate_stain_model(dusty, mpp=MPP)
    assert angle_deg(model.dab, RUIFROK_DAB) < 3
