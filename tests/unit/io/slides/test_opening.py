from __future__ import annotations

import contextlib
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile

from her2path.errors import ImageNotFoundError, SlideError, UnreadableImageError, UnsuitableImageError
from her2path.io.slides.dicom_series import names_dicom
from her2path.io.slides.opening import files_of, open_slide
from her2path.io.slides.source import WorkingBox
from her2path.units import PixelSize
from tests.support.dicom import write_dicom
from tests.support.slides import textured, write_pyramid

RGB = textured(300, 400)


def png(rgb: np.ndarray) -> bytes:
    return cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))[1].tobytes()


def jpeg(rgb: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))[1].tobytes()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"", "empty", id="0 bytes"),
        pytest.param(b"patient list\n" * 50, "text, not an image", id="text named .svs"),
        pytest.param(bytes(range(256)) * 8, "no known image format", id="random bytes"),
        pytest.param(b"II*\0", "truncated", id="a TIFF header alone"),
        pytest.param(b"II*\0" + struct.pack("<I", 9_999_999), "truncated", id="directory beyond the end"),
        pytest.param(b"\xff\xd8\xff", "truncated", id="a JPEG header alone"),
        pytest.param(b"\x89PNG\r\n\x1a\n", "damaged", id="a PNG header alone"),
        pytest.param(bytes(128) + b"DICM" + bytes(200), "DICOM", id="DICOM of something else"),
        pytest.param(jpeg(RGB)[:-3000], "truncated", id="JPEG cut off"),
        pytest.param(png(RGB)[:-3000], "PNG data are damaged or end early", id="PNG cut off"),
    ],
)
def test_what_is_no_image_is_refused_in_plain_words(tmp_path, content, words):
    suffix = "img" if content.startswith((b"\xff", b"\x89")) else "svs"
    path = tmp_path / f"secret-patient-name.{suffix}"
    path.write_bytes(content)
    with pytest.raises(UnreadableImageError, match=words) as caught:
        open_slide(path, name="i17")
    assert "'i17'" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path):
    with pytest.raises(ImageNotFoundError):
        open_slide(tmp_path / "none.svs", name="i")
    with pytest.raises(UnreadableImageError, match="folder"):
        open_slide(tmp_path, name="i")


def test_a_file_that_may_not_be_read_says_so(tmp_path, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    path = write_pyramid(tmp_path / "slide.tif", RGB)
    monkeypatch.setattr(Path, "open", refuse)  # the tests may run as root, who may read everything
    with pytest.raises(UnreadableImageError, match="Permission denied"):
        open_slide(path, name="i")


@pytest.mark.parametrize("tile", [(256, 256), None], ids=["tiled", "strips"])
@pytest.mark.parametrize("kept", [0.02, 0.3, 0.6, 0.9, 0.99, 0.9999])
def test_a_cut_off_tiff_never_opens_as_a_smaller_one(tmp_path, tile, kept):
    options = {"tile": tile, "compression": "lzw", "photometric": "rgb"}
    path = write_pyramid(tmp_path / "slide.tif", textured(900, 900), **options)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(UnreadableImageError):
        open_slide(path, name="i")


@pytest.mark.real
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.8, 0.95, 0.99, 0.9999])
@pytest.mark.parametrize("file", ["slides/CMU-1-Small-Region.svs", "ihc_cores/core_0123.tif"])
def test_a_cut_off_real_slide_never_opens_as_a_smaller_one(tmp_path, real_data, file, kept):
    data = (real_data / file).read_bytes()
    path = tmp_path / Path(file).name
    path.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(UnreadableImageError):
        open_slide(path, name="i")


@pytest.mark.real
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.8, 0.95])
def test_a_cut_off_real_ndpi_is_refused_when_opened_or_probed(tmp_path, real_data, kept):
    data = (real_data / "slides" / "fluorescence_dapi.ndpi").read_bytes()
    path = tmp_path / "slide.ndpi"
    path.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(UnreadableImageError), open_slide(path, name="i") as slide:
        slide.probe()


def test_tiles_that_lie_beyond_the_end_are_found_on_opening(tmp_path):
    path = write_pyramid(tmp_path / "slide.tif", RGB, levels=1)
    with tifffile.TiffFile(path, mode="r+b") as tiff:
        tag = tiff.pages.first.tags["TileByteCounts"]
        tag.overwrite([count + 10_000_000 for count in tag.value])
    with pytest.raises(UnreadableImageError, match="truncated"):
        open_slide(path, name="i")


@pytest.mark.parametrize(
    ("pixels", "photometric"),
    [
        pytest.param((RGB.astype(np.uint16) * 200), "rgb", id="16-bit colour"),
        pytest.param(RGB[:, :, 0], "minisblack", id="one grey channel"),
        pytest.param(RGB[:, :, 0].astype(np.uint16), "minisblack", id="one 16-bit channel"),
        pytest.param(np.moveaxis(RGB, 2, 0), "minisblack", id="three fluorescence channels"),
        pytest.param(RGB.astype(np.float32), "rgb", id="floats"),
    ],
)
@pytest.mark.parametrize("tile", [(256, 256), None], ids=["tiled", "strips"])
def test_a_tiff_that_is_not_8_bit_colour_is_unsuitable_for_ihc(tmp_path, pixels, photometric, tile):
    path = tmp_path / "image.tif"
    tifffile.imwrite(path, pixels, photometric=photometric, tile=tile)
    with pytest.raises(UnsuitableImageError, match="fish"):
        open_slide(path, name="i")


@pytest.mark.parametrize(
    "image",
    [
        pytest.param(RGB[:, :, 0], id="grey"),
        pytest.param(RGB.astype(np.uint16) * 200, id="16 bits"),
    ],
)
def test_a_png_that_is_not_8_bit_colour_is_unsuitable(tmp_path, image):
    (tmp_path / "image.png").write_bytes(cv2.imencode(".png", image)[1].tobytes())
    with pytest.raises(UnsuitableImageError, match="8-bit colour"):
        open_slide(tmp_path / "image.png", name="i")


def test_a_grey_jpeg_is_unsuitable(tmp_path):
    (tmp_path / "image.jpg").write_bytes(cv2.imencode(".jpg", RGB[:, :, 0])[1].tobytes())
    with pytest.raises(UnsuitableImageError, match="8-bit colour"):
        open_slide(tmp_path / "image.jpg", name="i")


@pytest.mark.parametrize(
    ("suffix", "vendor"), [("png", "png"), ("jpg", "jpeg"), ("tif", "tiff"), ("anything", "png")]
)
def test_plain_fields_are_read_by_content_without_a_pixel_size(tmp_path, suffix, vendor):
    path = tmp_path / f"field.{suffix}"
    if vendor == "tiff":
        tifffile.imwrite(path, RGB, photometric="rgb", compression="lzw", metadata=None)
    else:
        path.write_bytes(jpeg(RGB) if vendor == "jpeg" else png(RGB))
    with open_slide(path, name="i") as slide:
        got = slide.read(WorkingBox(0, 0, 300, 400), downsample=1.0)
        assert (slide.vendor, slide.size_px0, slide.pixel_size) == (vendor, (400, 300), None)
    assert np.abs(got.astype(int) - RGB).mean() < (3 if vendor == "jpeg" else 1e-9)


def test_a_transparent_png_is_read_on_white(tmp_path):
    rgba = np.zeros((10, 10, 4), dtype=np.uint8)
    rgba[:5, :, 3] = 255
    (tmp_path / "a.png").write_bytes(cv2.imencode(".png", rgba)[1].tobytes())
    with open_slide(tmp_path / "a.png", name="i") as slide:
        got = slide.read(WorkingBox(0, 0, 10, 10), downsample=1.0)
    assert (got[:5] == 0).all()
    assert (got[5:] == 255).all()


def test_planar_tiff_fields_keep_their_colours(tmp_path):
    path = tmp_path / "field.tif"
    tifffile.imwrite(path, np.moveaxis(RGB, 2, 0), photometric="rgb", planarconfig="separate", metadata=None)
    with open_slide(path, name="i") as slide:
        np.testing.assert_array_equal(slide.read(WorkingBox(0, 0, 300, 400), downsample=1.0), RGB)


@pytest.mark.parametrize("kind", ["png", "jpg", "tif"])
def test_a_file_without_tiles_that_is_too_large_is_refused_before_it_is_decoded(tmp_path, monkeypatch, kind):
    path = tmp_path / f"field.{kind}"
    if kind == "tif":
        tifffile.imwrite(path, RGB, photometric="rgb", metadata=None)
    else:
        path.write_bytes(jpeg(RGB) if kind == "jpg" else png(RGB))
    monkeypatch.setattr("her2path.io.slides.field.MAX_FIELD_PIXELS", 300 * 400 - 1)
    with pytest.raises(UnsuitableImageError, match="tiled pyramidal TIFF") as caught:
        open_slide(path, name="i")
    assert caught.value.code == "too_large"


def test_free_text_and_pictures_of_the_label_stay_in_the_file(tmp_path):
    path = write_pyramid(tmp_path / "slide.tif", RGB, description="Jane Doe, born 1950")
    with open_slide(path, name="i") as slide:
        public = {name: getattr(slide, name) for name in dir(slide) if not name.startswith("_")}
    assert "Jane" not in repr(public)


@pytest.mark.parametrize("head", [b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"])
@pytest.mark.parametrize("seed", range(8))
def test_random_bytes_behind_a_tiff_header_never_crash_the_reader(tmp_path, head, seed):
    path = tmp_path / "slide.tif"
    path.write_bytes(head + np.random.default_rng(seed).bytes(3000))
    with pytest.raises(SlideError):
        open_slide(path, name="i")


@pytest.mark.parametrize("seed", range(30))
def test_a_slide_with_damaged_bytes_opens_or_is_refused_but_never_crashes(tmp_path, seed):
    path = write_pyramid(tmp_path / "slide.tif", RGB, levels=2)
    data = bytearray(path.read_bytes())
    generator = np.random.default_rng(seed)
    for at in generator.integers(0, len(data), 20):
        data[at] = generator.integers(0, 256)
    if seed % 2:  # the directory of the first page is where damage hurts most
        start = struct.unpack("<I", data[4:8])[0] % len(data)
        for at in generator.integers(start, min(start + 200, len(data)), 3):
            data[at] = generator.integers(0, 256)
    path.write_bytes(bytes(data))
    with contextlib.suppress(SlideError), open_slide(path, name="i") as slide:
        slide.probe()


def test_a_mirax_slide_consists_of_its_file_and_its_folder(tmp_path):
    (tmp_path / "a.mrxs").write_bytes(b"x")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "Slidedat.ini").write_bytes(b"y")
    (tmp_path / "b.mrxs").write_bytes(b"z")
    assert files_of(tmp_path / "a.mrxs") == (tmp_path / "a.mrxs", tmp_path / "a" / "Slidedat.ini")
    assert files_of(tmp_path / "b.mrxs") == (tmp_path / "b.mrxs",)


def dicom_series(folder: Path) -> Path:
    half = cv2.resize(RGB, (200, 150), interpolation=cv2.INTER_AREA)
    write_dicom(folder / "b.dcm", half, mpp=0.25, instance=2, level=1)
    return write_dicom(folder / "a.dcm", RGB, mpp=0.25)


def test_a_dicom_series_opens_as_one_slide(tmp_path):
    with open_slide(dicom_series(tmp_path), name="i") as slide:
        slide.probe()
        assert (slide.vendor, slide.size_px0, slide.level_downsamples) == ("dicom", (400, 300), (1.0, 2.0))
        assert slide.pixel_size == PixelSize(0.25, "vendor")
        got = slide.read(WorkingBox(0, 0, 300, 400), downsample=1.0)
    assert np.abs(got.astype(int) - RGB).mean() < 3


def test_a_dicom_slide_consists_of_the_files_of_its_series(tmp_path):
    path = dicom_series(tmp_path)
    other = (tmp_path / "b.dcm").read_bytes().replace(b"43.8.498.1.0", b"43.8.498.7.0")
    (tmp_path / "c.dcm").write_bytes(other)
    (tmp_path / "notes.txt").write_text("x")
    assert files_of(path) == (path, tmp_path / "b.dcm")


def test_a_dicom_slide_has_one_identity_whichever_file_or_folder_is_named(tmp_path):
    path = dicom_series(tmp_path)
    assert files_of(tmp_path / "b.dcm") == files_of(tmp_path) == files_of(path)
    with open_slide(tmp_path, name="i") as slide:
        assert slide.size_px0 == (400, 300)


def test_a_folder_of_two_dicom_slides_is_refused_because_which_is_meant_is_not_guessed(tmp_path):
    path = dicom_series(tmp_path)
    (tmp_path / "c.dcm").write_bytes(path.read_bytes().replace(b"43.8.498.1.0", b"43.8.498.7.0"))
    with pytest.raises(UnreadableImageError, match="2 DICOM slides; name a file"):
        open_slide(tmp_path, name="i")


@pytest.mark.parametrize(
    ("name", "known"),
    [("a.dcm", True), (".", True), ("notes.txt", False), ("none", False), ("x" * 300, False)],
)
def test_a_path_names_a_dicom_slide_by_the_content_of_its_files(tmp_path, name, known):
    dicom_series(tmp_path)
    (tmp_path / "notes.txt").write_text("x" * 200)
    assert names_dicom(tmp_path / name) is known


@pytest.mark.parametrize("kept", [0.01, 0.5, 0.95])
def test_a_cut_off_dicom_slide_is_refused_when_opened_or_probed(tmp_path, kept):
    path = write_dicom(tmp_path / "a.dcm", textured(900, 900), mpp=0.25)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    with pytest.raises(UnreadableImageError), open_slide(path, name="i") as slide:
        slide.probe()


@pytest.mark.parametrize("suffix", [".mrxs", ".svs", ".NDPI"])
@pytest.mark.parametrize("kind", ["jpeg", "tiff"])
def test_what_is_left_of_a_slide_is_not_taken_for_a_field(tmp_path, suffix, kind):
    path = tmp_path / f"slide{suffix}"
    if kind == "jpeg":
        path.write_bytes(jpeg(RGB))
    else:
        tifffile.imwrite(path, RGB, photometric="rgb", metadata=None)
    with pytest.raises(UnreadableImageError, match="parts of it are missing"):
        open_slide(path, name="i")


@pytest.mark.real
def test_every_real_slide_opens_with_its_pixel_size(real_data):
    found = {}
    for path in [*(real_data / "ihc_cores").glob("*.tif"), *(real_data / "slides").iterdir()]:
        with open_slide(path, name="i") as slide:
            slide.probe()
            size = slide.pixel_size
            assert size is not None
            found[path.name] = (slide.vendor, round(size.mpp, 4), size.origin)
    assert found.pop("CMU-1-Small-Region.svs") == ("aperio", 0.499, "vendor")
    assert found.pop("fluorescence_dapi.ndpi") == ("hamamatsu", 0.2282, "vendor")
    assert found.pop("fluorescence_tritc.ndpi") == ("hamamatsu", 0.2282, "vendor")
    assert set(found.values()) == {("generic-tiff", 0.25, "tiff_resolution")}
    assert len(found) == 8
