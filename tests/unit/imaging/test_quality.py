"""Measuring conditions of bright-field slides."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from her2path.imaging.phantoms.ihc import render_ihc
from her2path.imaging.phantoms.ihc_spec import SCORE_PRESETS, IhcPhantomSpec
from her2path.imaging.quality import (
    QualityCuts,
    SlideMeasures,
    measure_sharpness,
    measure_slide,
    remark_on,
    remark_on_pixel_size,
)
from her2path.imaging.stain import StainModel
from her2path.imaging.tissue import FEATURE_MPP, measure_tissue_features

GOOD = SlideMeasures(
    sharpness=3.0,
    opaque_frac=0.0,
    brown_frac=0.1,
    eosin_frac=0.0,
    colour_frac=0.9,
    dirt_mm2=0.0,
    blurred_frac=0.0,
)
ESTIMATED = StainModel(
    white=(240.0, 240.0, 240.0),
    white_origin="estimated",
    hematoxylin_origin="estimated",
    dab_origin="estimated",
)


@pytest.fixture(scope="module")
def phantom():
    spec = IhcPhantomSpec(seed=4, width_px=512, height_px=512, mpp=0.5, classes=SCORE_PRESETS["2+"])
    return render_ihc(spec).rgb


def measured(rgb):
    features = measure_tissue_features(
        cv2.resize(rgb, None, fx=0.5 / FEATURE_MPP, fy=0.5 / FEATURE_MPP, interpolation=cv2.INTER_AREA),
        white=ESTIMATED.white,
    )
    return measure_slide([rgb[:256, :256], rgb[256:, 256:]], features, ESTIMATED, mpp=0.5)


def codes(measures, model=ESTIMATED, tissue_mm2=1.0):
    return [remark.code for remark in remark_on(measures, model, tissue_mm2=tissue_mm2)]


def test_a_good_slide_calls_for_no_remark():
    assert codes(GOOD) == []


def test_blur_lowers_sharpness_and_is_remarked_upon(phantom):
    sharp, blurred = measured(phantom), measured(cv2.GaussianBlur(phantom, (0, 0), 4.0))
    assert blurred.sharpness < 0.7 * sharp.sharpness
    assert "out_of_focus" not in codes(sharp)
    assert "out_of_focus" in codes(blurred)


def test_an_empty_field_has_no_sharpness():
    assert measure_sharpness(np.full((64, 64, 3), 240, np.uint8), mpp=0.5) == 0.0


def test_an_immunostain_shows_no_eosin_and_an_eosin_stain_does(phantom):
    pink = np.clip(245 * 10 ** -(np.array([0.05, 0.75, 0.12])[None, None] * 0.8), 0, 255)
    eosin = np.broadcast_to(pink, phantom.shape).astype(np.uint8)
    assert measured(phantom).eosin_frac < 0.01
    assert measured(eosin).eosin_frac > 0.9


def test_brown_is_seen_where_there_is_some(phantom):
    grey = np.repeat(phantom.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
    assert measured(phantom).brown_frac > 0.01
    assert measured(grey).brown_frac < 0.001


def test_a_grey_copy_of_a_slide_has_no_colours(phantom):
    grey = np.repeat(phantom.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
    assert measured(phantom).colour_frac > 0.5
    assert measured(grey).colour_frac < 0.01


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param({"blurred_frac": 0.4}, "out_of_focus", id="blurred"),
        pytest.param({"opaque_frac": 0.1}, "saturated", id="opaque"),
        pytest.param({"brown_frac": 0.0}, "no_dab", id="no brown"),
        pytest.param({"dirt_mm2": 0.5}, "debris", id="dirt"),
    ],
)
def test_each_fault_is_named(change, code):
    assert codes(replace(GOOD, **change)) == [code]


def test_little_tissue_and_default_stains_are_named():
    found = codes(GOOD, StainModel(), tissue_mm2=0.01)
    assert found == ["little_tissue", "default_white_point", "default_stain_vectors"]


def test_a_value_on_its_cut_is_not_remarked_upon():
    cuts = QualityCuts()
    assert codes(replace(GOOD, opaque_frac=cuts.opaque_frac, dirt_mm2=cuts.dirt_mm2)) == []


@pytest.mark.parametrize(("given", "found"), [(0.26, 0), (0.5, 1)], ids=["within 5 %", "twice as coarse"])
def test_a_sheet_that_contradicts_the_files_pixel_size_is_a_remark(given, found):
    codes = [remark.code for remark in remark_on_pixel_size(given, stated=0.25)]
    assert codes == ["pixel_size_contradicted"] * found
    assert remark_on_pixel_size(given, stated=None) == []
