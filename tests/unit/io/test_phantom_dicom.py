from __future__ import annotations

import subprocess

import numpy as np
import openslide
import pydicom
import pytest

from her2path.io.phantom_dicom import ScannedAs, write_dicom_slide
from her2path.io.slides.opening import files_of, open_slide
from her2path.io.slides.source import WorkingBox
from tests.support.slides import textured

RGB = textured(2060, 2148)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("series")
    said = ScannedAs(patient_name="Muster^Änne", accession="A-1", label=textured(200, 300))
    write_dicom_slide(folder, RGB, mpp=0.25, scanned=said)
    return folder


def test_a_dicom_phantom_opens_as_a_slide_of_the_same_pixels(folder):
    with open_slide(folder / "level_0.dcm", name="i") as slide:
        assert (slide.vendor, slide.size_px0) == ("dicom", (2148, 2060))
        assert slide.level_downsamples == (1.0, 4.0)
        assert slide.pixel_size is not None
        assert slide.pixel_size.mpp == pytest.approx(0.25)
        seen = slide.read(WorkingBox(600, 1900, 500, 248), downsample=1.0)
        assert np.abs(seen.astype(int) - RGB[600:1100, 1900:2148]).mean() < 3


@pytest.mark.parametrize("name", ["level_0.dcm", "level_1.dcm", "label.dcm"])
def test_the_standards_own_checker_finds_no_fault_in_a_dicom_phantom(folder, name):
    done = subprocess.run(["dciodvfy", "-new", folder / name], capture_output=True, text=True)
    assert "Error" not in done.stderr
    assert "Warning" not in done.stderr


def test_all_levels_begin_at_one_corner_of_the_glass(folder):
    corners = set()
    for level in range(2):
        image = pydicom.dcmread(folder / f"level_{level}.dcm", stop_before_pixels=True)
        origin = image.TotalPixelMatrixOriginSequence[0]
        measures = image.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
        half = float(measures.PixelSpacing[0]) / 2  # rows run along -X, columns along -Y
        x, y = origin.XOffsetInSlideCoordinateSystem, origin.YOffsetInSlideCoordinateSystem
        corners.add((round(float(x) + half, 6), round(float(y) + half, 6)))
    assert len(corners) == 1


def test_the_label_is_an_image_of_its_own_and_a_file_of_the_series(folder):
    with openslide.OpenSlide(folder / "level_0.dcm") as slide:
        assert set(slide.associated_images) == {"label"}
    assert {path.name for path in files_of(folder / "level_0.dcm")} == {
        "level_0.dcm",
        "level_1.dcm",
        "label.dcm",
    }


def test_a_dicom_phantom_is_the_same_bytes_again(folder, tmp_path):
    said = ScannedAs(patient_name="Muster^Änne", accession="A-1", label=textured(200, 300))
    for path in write_dicom_slide(tmp_path, RGB, mpp=0.25, scanned=said):
        assert path.read_bytes() == (folder / path.name).read_bytes()


def test_a_repeated_phantom_is_larger_than_its_block(tmp_path):
    first, *_ = write_dicom_slide(tmp_path, textured(512, 512), mpp=0.5, repeat=3)
    with open_slide(first, name="i") as slide:
        assert slide.size_px0 == (1536, 1536)
        corner = slide.read(WorkingBox(512, 1024, 64, 64), downsample=1.0)
        assert np.array_equal(corner, slide.read(WorkingBox(0, 0, 64, 64), downsample=1.0))
