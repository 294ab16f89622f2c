"""Step slide_quality on small slides."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from her2path.errors import UnsuitableImageError
from her2path.imaging.phantoms.ihc import render_ihc
from her2path.imaging.phantoms.ihc_spec import SCORE_PRESETS, IhcPhantomSpec
from her2path.imaging.tissue import MASK_MPP
from her2path.io.artefacts import FISH_FILES
from her2path.io.case_sheet import ImageRow
from her2path.io.documents import QualityDoc, SlideDoc, read_document
from her2path.io.masks import read_mask
from her2path.steps import slide_intake, slide_quality
from tests.support.ihc_chain import prepare
from tests.support.slides import write_pyramid

SIDE = 768


def phantom(**changes):
    settings = {"seed": 6, "width_px": SIDE, "height_px": SIDE, "mpp": 0.5, "background_fraction": 0.3}
    return render_ihc(IhcPhantomSpec(**(settings | changes))).rgb


@pytest.fixture(scope="module")
def stained():
    return phantom(classes=SCORE_PRESETS["3+"])


def quality_of(tmp_path, rgb, mpp=0.5):
    tmp_path.mkdir(exist_ok=True)
    at, _ = prepare(write_pyramid(tmp_path / "slide.tif", rgb, mpp=mpp), tmp_path / "image-1")
    return at, read_document(at.quality, QualityDoc)


def test_a_stained_slide_gets_its_own_white_point_and_stain_vectors(tmp_path, stained):
    _, document = quality_of(tmp_path, stained)
    stain = document.result.stain
    assert (stain.white_origin, stain.hematoxylin_origin, stain.dab_origin) == ("estimated",) * 3
    assert all(235 < channel < 255 for channel in stain.white)
    assert set(document.inputs) == {"slide"}


def test_the_mask_covers_the_slide_at_the_stated_pixel_size(tmp_path, stained):
    at, document = quality_of(tmp_path, stained)
    mask = read_mask(at.tissue)
    assert document.result.mask_mpp == MASK_MPP
    assert mask.shape == (SIDE * 0.5 / MASK_MPP,) * 2
    assert document.result.tissue_mm2 == pytest.approx(mask.sum() * MASK_MPP**2 / 1e6)
    assert 0.3 < mask.mean() <= 1.0


def test_an_unstained_slide_says_that_no_brown_was_found_and_which_vector_it_used(tmp_path):
    _, document = quality_of(tmp_path, phantom())
    assert {"no_dab", "default_stain_vectors"} <= {finding.code for finding in document.result.findings}
    assert document.result.stain.dab_origin == "default"


def test_a_slide_without_tissue_is_refused(tmp_path):
    blank = np.full((SIDE, SIDE, 3), 243, np.uint8)
    with pytest.raises(UnsuitableImageError, match="no tissue") as caught:
        quality_of(tmp_path, blank)
    assert caught.value.code == "no_tissue"
    assert not (tmp_path / "image-1" / "quality.json").exists()


def test_an_eosin_stain_is_refused_as_ihc(tmp_path, stained):
    # The same tissue with four times the green density, as eosin has.
    pink = stained.copy()
    pink[..., 1] = 245 * (stained[..., 1] / 245.0).clip(0, 1) ** 4
    with pytest.raises(UnsuitableImageError, match="H&E") as caught:
        quality_of(tmp_path, pink)
    assert caught.value.code == "not_ihc"


def test_a_grey_copy_is_refused_because_it_would_read_as_unstained(tmp_path, stained):
    grey = np.repeat(stained.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
    with pytest.raises(UnsuitableImageError, match="no colours") as caught:
        quality_of(tmp_path, grey)
    assert caught.value.code == "no_colour"


def test_a_slide_far_out_of_focus_is_refused(tmp_path, stained):
    with pytest.raises(UnsuitableImageError, match="out of focus") as caught:
        quality_of(tmp_path, cv2.GaussianBlur(stained, (0, 0), 6))
    assert caught.value.code == "out_of_focus"


def test_the_pixel_size_of_the_scan_does_not_move_the_mask(tmp_path, stained):
    fine = np.repeat(np.repeat(stained, 2, axis=0), 2, axis=1)
    first, _ = quality_of(tmp_path / "a", stained)
    second, _ = quality_of(tmp_path / "b", fine, mpp=0.25)
    assert (read_mask(first.tissue) == read_mask(second.tissue)).mean() > 0.97


def test_the_same_slide_gives_the_same_bytes(tmp_path, stained):
    first, _ = quality_of(tmp_path / "a", stained)
    second, _ = quality_of(tmp_path / "b", stained)
    assert first.tissue.read_bytes() == second.tissue.read_bytes()
    assert first.quality.read_bytes() == second.quality.read_bytes()


@pytest.mark.real
def test_an_he_slide_given_as_ihc_is_refused(real_data, tmp_path):
    with pytest.raises(UnsuitableImageError) as caught:
        prepare(real_data / "slides" / "CMU-1-Small-Region.svs", tmp_path / "he")
    assert caught.value.code == "not_ihc"


def slide_width(path):
    return read_document(path, SlideDoc).result.width_px0


def test_a_fluorescence_field_gets_a_quality_per_channel_and_a_mask_of_its_nuclei(sample_data, tmp_path):
    image = [sample_data / "demo_ihc2_g1" / "fish_a.ome.tif"]
    row = ImageRow(case_id="case", image_id="fish-1", assay="fish", path=tuple(image))
    at = {key: tmp_path / name for key, name in FISH_FILES.items()}
    slide, quality, tissue = at["slide"], at["quality"], at["tissue"]
    slide_intake.run(image=image, row=row, slide=slide, params=slide_intake.SlideIntakeParams())
    params = slide_quality.SlideQualityParams()
    slide_quality.run(
        image=image,
        slide=slide,
        quality=quality,
        tissue=tissue,
        artefacts=at["artefacts"],
        areas=at["areas"],
        picture=at["picture"],
        params=params,
    )
    result = read_document(quality, QualityDoc).result
    assert [channel.role for channel in result.channels] == ["dapi", "her2", "cep17"]
    assert result.stain is None
    [field] = result.fields
    assert (field.name, field.area, field.width_px0, field.nuclei) == ("fish-1", 1, slide_width(slide), None)
    assert 0.02 < read_mask(tissue).mean() < 0.9
