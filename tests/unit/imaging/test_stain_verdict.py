"""Images that are no H-DAB slides, and slides of unusual hue that are."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from her2path.imaging.phantoms.ihc import compose_ihc, photograph
from her2path.imaging.phantoms.ihc_spec import SCORE_PRESETS, IhcPhantomSpec, StainStyle
from her2path.imaging.stain import StainModel
from her2path.imaging.stain_estimation import collect_stain_pixels, estimate_stain_model
from her2path.imaging.stain_verdict import absorbs_as_eosin, judge_colours, judge_light, judge_plausibility
from her2path.imaging.white_point import measure_brightness
from tests.support.rerender import VARIANTS, rerendered

MPP = 0.5
NUCLEI = (0.65, 0.70, 0.29)
DAB = StainStyle("dab", NUCLEI, (0.27, 0.57, 0.78))


@pytest.fixture(scope="module")
def scene():
    classes = SCORE_PRESETS["3+"]
    return compose_ihc(IhcPhantomSpec(seed=500_041, width_px=512, height_px=512, mpp=MPP, classes=classes))


def light_of(rgb):
    size = (rgb.shape[1] // 16, rgb.shape[0] // 16)
    return judge_light(measure_brightness(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)))


def code_of(rgb):
    model = estimate_stain_model(rgb, mpp=MPP)
    why = light_of(rgb) or judge_colours(collect_stain_pixels([rgb], mpp=MPP, white=model.white), model)
    return why and why.code


def eosin_share_of(rgb):
    """Share of stained places that absorb as eosin does."""
    model = estimate_stain_model(rgb, mpp=MPP)
    stained = collect_stain_pixels([rgb], mpp=MPP, white=model.white).stained
    return absorbs_as_eosin(stained, model).mean()


def plausibility_of(rgb):
    model = estimate_stain_model(rgb, mpp=MPP)
    return judge_plausibility(model, collect_stain_pixels([rgb], mpp=MPP, white=model.white))


@pytest.mark.parametrize(
    "chromogen",
    [
        pytest.param((0.21, 0.85, 0.48), id="fast red"),
        pytest.param((0.27, 0.68, 0.68), id="AEC"),
        pytest.param((0.15, 0.90, 0.40), id="permanent red"),
    ],
)
def test_a_red_chromogen_is_refused_by_name(scene, chromogen):
    assert code_of(photograph(scene, replace(DAB, dab=chromogen))) == "other_chromogen"


@pytest.mark.parametrize(
    "brown",
    [
        pytest.param((0.45, 0.55, 0.65), id="grey"),
        pytest.param((0.22, 0.50, 0.84), id="yellow"),
        pytest.param((0.40, 0.56, 0.72), id="violet"),
        pytest.param((0.27, 0.57, 0.78), id="published"),
    ],
)
def test_dab_of_any_hue_is_accepted(scene, brown):
    assert code_of(photograph(scene, replace(DAB, dab=brown))) is None


@pytest.mark.parametrize("variant", ["warm_colours", "vivid_colours", "dark", "bright", "other_scanner"])
def test_no_scanner_turns_dab_into_another_chromogen_nor_aec_into_dab(scene, variant):
    brown, _ = rerendered(photograph(scene, DAB), MPP, replace(VARIANTS[variant], mpp=None))
    red = photograph(scene, replace(DAB, dab=(0.27, 0.68, 0.68)))
    red, _ = rerendered(red, MPP, replace(VARIANTS[variant], mpp=None))
    assert (code_of(brown), code_of(red)) == (None, "other_chromogen")


@pytest.mark.parametrize(
    "eosin", [(0.07, 0.99, 0.11), (0.22, 0.80, 0.56)], ids=["published", "of a real slide"]
)
def test_eosin_in_all_tissue_is_an_he_stain(scene, eosin):
    tissue = cv2.GaussianBlur((scene.hematoxylin > 0.02).astype(np.float32), (0, 0), 1.5)
    pink = replace(scene, dab=np.float32(0.35) * tissue)
    assert code_of(photograph(pink, replace(DAB, dab=eosin))) == "not_ihc"


VIOLET = (0.56, 0.72, 0.13)
"""Hematoxylin that absorbs as large a share of green as eosin of a real slide."""


def test_violet_nuclei_are_not_taken_for_eosin(scene):
    violet = replace(DAB, hematoxylin=VIOLET)
    assert code_of(photograph(scene, violet)) is None
    unstained = replace(scene, dab=np.zeros_like(scene.dab))
    assert code_of(photograph(unstained, violet)) is None
    assert eosin_share_of(photograph(unstained, violet)) < 0.02


@pytest.mark.parametrize(
    "eosin", [(0.07, 0.99, 0.11), (0.22, 0.80, 0.56)], ids=["published", "of a real slide"]
)
def test_eosin_is_seen_beside_violet_nuclei(scene, eosin):
    tissue = cv2.GaussianBlur((scene.hematoxylin > 0.02).astype(np.float32), (0, 0), 1.5)
    pink = replace(scene, dab=np.float32(0.35) * tissue)
    assert code_of(photograph(pink, replace(DAB, hematoxylin=VIOLET, dab=eosin))) == "not_ihc"


@pytest.mark.parametrize(
    ("colour", "as_eosin"),
    [
        pytest.param((0.64, 1.00, 0.50), True, id="red light 0.64 of the green"),
        pytest.param((0.66, 1.00, 0.50), False, id="red light 0.66 of the green"),
        pytest.param((0.30, 0.47, 0.23), True, id="green 0.47 of the density"),
        pytest.param((0.27, 0.45, 0.28), False, id="green 0.45 of the density"),
    ],
)
def test_eosin_is_told_on_both_cuts(colour, as_eosin):
    violet = StainModel(hematoxylin=VIOLET)
    assert absorbs_as_eosin(np.array([colour]), violet).tolist() == [as_eosin]


def test_beside_blue_nuclei_less_red_light_must_pass_for_eosin():
    colour = np.array([(0.80, 1.00, 0.20)])
    told = [absorbs_as_eosin(colour, StainModel(hematoxylin=h)).item() for h in (VIOLET, (0.79, 0.66, 0.11))]
    assert told == [False, True]


@pytest.mark.parametrize("density", [0.8, 1.6])
def test_brown_that_hides_everything_is_refused(scene, density):
    hidden = replace(scene, dab=scene.dab + np.float32(density))
    assert code_of(photograph(hidden, DAB)) == "all_brown"


def test_a_strong_3_plus_field_is_not_brown_all_over(scene):
    darker = replace(scene, dab=np.float32(1.4) * scene.dab)
    assert code_of(photograph(darker, DAB)) is None


@pytest.mark.parametrize(
    ("rgb", "code"),
    [
        pytest.param(np.zeros((256, 256, 3), np.uint8), "black", id="black"),
        pytest.param(np.full((256, 256, 3), (90, 55, 25), np.uint8), "all_brown", id="nothing but brown"),
        pytest.param(np.full((256, 256, 3), 240, np.uint8), None, id="glass is for the search for tissue"),
    ],
)
def test_images_of_one_colour(rgb, code):
    assert code_of(rgb) == code


def test_fluorescence_given_as_bright_field_is_refused(scene):
    glow = (200 * scene.hematoxylin / scene.hematoxylin.max()).astype(np.uint8)
    rgb = np.stack([glow // 8, glow // 5, glow], axis=2)
    assert light_of(rgb).code == "not_bright_field"


def test_an_inverted_slide_is_refused_with_and_without_glass(scene):
    rgb = photograph(scene, DAB)
    assert code_of(255 - rgb) in ("not_bright_field", "no_light_place")
    filled = photograph(compose_ihc(replace(scene.spec, background_fraction=0.0, tumour_fraction=1.0)), DAB)
    assert code_of(255 - filled) in ("not_bright_field", "no_light_place")


def test_a_usual_stain_is_plausible(scene):
    found = plausibility_of(photograph(scene, DAB))
    assert (found.verdict, found.reasons) == ("plausible", ())


def test_a_slide_without_counterstain_is_doubtful_and_says_why(scene):
    bare = replace(scene, hematoxylin=np.zeros_like(scene.hematoxylin))
    found = plausibility_of(photograph(bare, DAB))
    assert found.verdict == "doubtful"
    assert any("hematoxylin" in reason for reason in found.reasons)


def test_a_slide_without_glass_is_doubtful_for_its_white_point():
    pixels = collect_stain_pixels([np.full((64, 64, 3), 240, np.uint8)], mpp=MPP, white=(240.0, 240.0, 240.0))
    found = judge_plausibility(StainModel(white_origin="lightest_tissue"), pixels)
    assert found.verdict == "doubtful"
    assert "glass" in found.reasons[0]


def test_colours_that_no_stain_has_are_implausible(scene):
    green = photograph(scene, replace(DAB, hematoxylin=(0.90, 0.10, 0.42)))
    assert plausibility_of(green).verdict == "implausible"
