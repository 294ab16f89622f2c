from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import tifffile

from her2path.errors import (
    ImageNotFoundError,
    PixelSizeError,
    RegionError,
    UnreadableImageError,
    UnsuitableImageError,
)
from her2path.io.case_sheet import ImageRow
from her2path.io.documents import SlideDoc, read_document
from her2path.steps.slide_intake import SlideIntakeParams, run
from tests.support.slides import textured, write_pyramid

RGB = textured(600, 800)
SQUARE = {"type": "Polygon", "coordinates": [[[0, 0], [9, 0], [9, 9], [0, 9], [0, 0]]]}


def take_in(path: Path, folder: Path, *, more: Path | None = None, **cells: object) -> SlideDoc:
    row = ImageRow.model_validate(
        {"case_id": "c1", "image_id": "i17", "assay": "ihc", "path": (path, more) if more else (path,)}
        | cells
    )
    run(image=list(row.path), row=row, slide=folder / "slide.json", params=SlideIntakeParams())
    return read_document(folder / "slide.json", SlideDoc)


def test_an_image_is_described_without_its_name_or_path(tmp_path):
    path = write_pyramid(tmp_path / "jane-doe.tif", RGB, description="Jane Doe")
    document = take_in(path, tmp_path)
    result = document.result
    assert result is not None
    assert (result.width_px0, result.height_px0, result.level_downsamples) == (800, 600, (1.0, 2.0, 4.0))
    assert (result.mpp, result.mpp_origin, result.vendor) == (0.25, "tiff_resolution", "generic-tiff")
    assert result.files[0].sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert document.inputs == {"image_0": result.files[0].sha256}
    text = (tmp_path / "slide.json").read_text(encoding="utf-8").lower()
    assert "jane" not in text
    assert str(tmp_path).lower() not in text


def test_what_the_sheet_says_is_handed_on(tmp_path):
    document = take_in(
        write_pyramid(tmp_path / "s.tif", RGB),
        tmp_path,
        specimen="biopsy",
        observer=2,
        controls="fail",
        area="A1",
        tumour_site="biliary",
        fixation_hours=24.5,
        cold_ischaemia_minutes=0,
    )
    sheet = document.sheet
    assert (sheet.case_id, sheet.image_id, sheet.specimen, sheet.observer) == ("c1", "i17", "biopsy", 2)
    assert (sheet.controls, sheet.area, sheet.has_tumour_roi) == ("fail", "A1", False)
    assert (sheet.tumour_site, sheet.fixation_hours, sheet.cold_ischaemia_minutes) == ("biliary", 24.5, 0)


def test_what_the_sheet_does_not_say_of_the_specimen_stays_not_stated(tmp_path):
    sheet = take_in(write_pyramid(tmp_path / "s.tif", RGB), tmp_path).sheet
    assert (sheet.tumour_site, sheet.fixation_hours, sheet.cold_ischaemia_minutes) == (None, None, None)


def test_the_same_image_gives_the_same_bytes(tmp_path):
    path = write_pyramid(tmp_path / "s.tif", RGB)
    take_in(path, tmp_path)
    first = (tmp_path / "slide.json").read_bytes()
    take_in(path, tmp_path)
    assert (tmp_path / "slide.json").read_bytes() == first


def test_the_sheets_pixel_size_overrides_the_files(tmp_path):
    result = take_in(write_pyramid(tmp_path / "s.tif", RGB), tmp_path, mpp=0.5).result
    assert result is not None
    assert (result.mpp, result.mpp_origin) == (0.5, "case_sheet")


def test_what_the_file_says_is_kept_beside_a_pixel_size_from_the_sheet(tmp_path):
    taken = take_in(write_pyramid(tmp_path / "s.tif", RGB, mpp=0.25), tmp_path, mpp=0.5)
    assert (taken.result.mpp, taken.result.mpp_origin, taken.result.mpp_in_file) == (0.5, "case_sheet", 0.25)


@pytest.mark.parametrize(
    ("mpp", "found"),
    [
        pytest.param(None, "the file states no pixel size", id="none"),
        pytest.param(352.8, "the TIFF resolution states 352.8 µm/px", id="72 dpi"),
    ],
)
def test_no_usable_pixel_size_names_the_column_to_fill_in(tmp_path, mpp, found):
    path = write_pyramid(tmp_path / "s.tif", RGB, mpp=mpp)
    with pytest.raises(PixelSizeError, match="'i17'") as caught:
        take_in(path, tmp_path)
    assert found in str(caught.value)
    assert "column `mpp` of the case sheet" in str(caught.value)
    assert not (tmp_path / "slide.json").exists()


@pytest.mark.parametrize(("mpp", "accepted"), [(1.1, True), (1.11, False), (2.0, False)])
def test_pixels_too_coarse_for_membranes_are_refused(tmp_path, mpp, accepted):
    path = write_pyramid(tmp_path / "s.tif", RGB)
    if accepted:
        assert take_in(path, tmp_path, mpp=mpp).result is not None
        return
    with pytest.raises(UnsuitableImageError, match="membranes") as caught:
        take_in(path, tmp_path, mpp=mpp)
    assert caught.value.code == "too_coarse"


def test_a_dark_image_is_no_bright_field_image(tmp_path):
    path = write_pyramid(tmp_path / "s.tif", RGB // 6)
    with pytest.raises(UnsuitableImageError, match="fluorescence") as caught:
        take_in(path, tmp_path)
    assert caught.value.code == "not_bright_field"


def test_a_strongly_stained_field_without_background_is_bright_field(tmp_path):
    brown = np.full((600, 600, 3), (120, 70, 40), dtype=np.uint8)
    brown[::20] = (150, 110, 90)
    assert take_in(write_pyramid(tmp_path / "s.tif", brown), tmp_path).result is not None


def test_regions_are_checked_before_anything_is_measured(tmp_path):
    path = write_pyramid(tmp_path / "s.tif", RGB)
    roi = tmp_path / "jane-doe.geojson"
    with pytest.raises(RegionError, match=r"tumour_roi of i17.*not found"):
        take_in(path, tmp_path, tumour_roi=roi)
    roi.write_text(json.dumps({"type": "Polygon", "coordinates": [[[0, 0], [9, 9], [9, 0], [0, 9], [0, 0]]]}))
    with pytest.raises(RegionError, match="feature 1 is broken") as caught:
        take_in(path, tmp_path, exclude_roi=roi)
    assert "jane" not in str(caught.value)
    roi.write_text(json.dumps(SQUARE))
    document = take_in(path, tmp_path, tumour_roi=roi)
    assert document.sheet.has_tumour_roi
    assert document.inputs["tumour_roi"] == hashlib.sha256(roi.read_bytes()).hexdigest()


def test_a_region_that_misses_the_image_is_refused(tmp_path):
    path = write_pyramid(tmp_path / "s.tif", RGB)
    far = [[[x + 5000, y] for x, y in SQUARE["coordinates"][0]]]
    (tmp_path / "far.geojson").write_text(json.dumps({"type": "Polygon", "coordinates": far}))
    with pytest.raises(RegionError, match="outside the image"):
        take_in(path, tmp_path, tumour_roi=tmp_path / "far.geojson")


def test_two_files_for_one_ihc_image_are_refused(tmp_path):
    path = write_pyramid(tmp_path / "s.tif", RGB)
    with pytest.raises(UnsuitableImageError, match="one file"):
        take_in(path, tmp_path, more=path)


def test_a_missing_and_a_damaged_image_leave_no_document(tmp_path):
    with pytest.raises(ImageNotFoundError):
        take_in(tmp_path / "none.svs", tmp_path)
    (tmp_path / "text.svs").write_text("hello")
    with pytest.raises(UnreadableImageError):
        take_in(tmp_path / "text.svs", tmp_path)
    assert not (tmp_path / "slide.json").exists()


def write_fish(path: Path, mpp: float = 0.1) -> Path:
    pixels = np.random.default_rng(1).integers(0, 2000, (3, 256, 256)).astype(np.uint16)
    metadata = {
        "axes": "CYX",
        "Channel": {"Name": ["DAPI", "SpectrumOrange HER2", "SpectrumGreen CEP17"]},
        "PhysicalSizeX": mpp,
        "PhysicalSizeY": mpp,
    }
    tifffile.imwrite(path, pixels, metadata=metadata, ome=True, photometric="minisblack")
    return path


def test_a_fish_image_is_described_with_its_channels(tmp_path):
    result = take_in(write_fish(tmp_path / "f.ome.tif"), tmp_path, assay="fish").result
    assert result is not None
    assert [channel.role for channel in result.channels] == ["dapi", "her2", "cep17"]
    assert (result.mpp, result.mpp_origin, result.dtype) == (0.1, "ome_metadata", "uint16")


def test_a_fish_image_too_coarse_for_signals_is_refused(tmp_path):
    with pytest.raises(UnsuitableImageError, match="signals") as caught:
        take_in(write_fish(tmp_path / "f.ome.tif", mpp=0.6), tmp_path, assay="fish")
    assert caught.value.code == "too_coarse"


@pytest.mark.real
def test_every_real_core_is_taken_in(real_data, tmp_path):
    for path in sorted((real_data / "ihc_cores").glob("*.tif")):
        result = take_in(path, tmp_path).result
        assert result is not None
        assert (result.width_px0, result.mpp) == (5468, 0.25)


@pytest.mark.real
def test_a_real_fluorescence_scan_is_not_taken_for_ihc(real_data, tmp_path):
    with pytest.raises(UnsuitableImageError) as caught:
        take_in(real_data / "slides" / "fluorescence_dapi.ndpi", tmp_path)
    assert caught.value.code == "not_bright_field"
