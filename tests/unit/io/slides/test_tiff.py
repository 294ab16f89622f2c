from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile

from her2path.errors import UnreadableImageError
from her2path.io.slides.opening import open_slide
from her2path.io.slides.openslide import OpenSlideLevels
from her2path.io.slides.pyramid import PyramidSlide
from her2path.io.slides.source import WorkingBox
from her2path.io.slides.tiff import TiffLevels, fast_levels
from tests.support.slides import textured, write_pyramid

SAME = [
    pytest.param({}, id="JPEG, YCbCr 4:2:0"),
    pytest.param({"subsampling": (1, 1)}, id="JPEG, YCbCr 4:4:4"),
    pytest.param({"subsampling": (2, 1)}, id="JPEG, YCbCr 4:2:2"),
    pytest.param({"compressionargs": {"outcolorspace": "rgb"}}, id="JPEG, RGB as Aperio writes it"),
    pytest.param({"compression": "deflate"}, id="deflate"),
    pytest.param({"compression": "deflate", "predictor": True}, id="deflate, predictor"),
    pytest.param({"compression": "lzw"}, id="LZW"),
    pytest.param({"compression": None}, id="uncompressed"),
    pytest.param({"bigtiff": True}, id="BigTIFF"),
    pytest.param({"tile": (240, 128)}, id="tiles that are not square"),
]


def opened(path: Path) -> tuple[TiffLevels | None, OpenSlideLevels]:
    slow = OpenSlideLevels(path, name="i")
    return fast_levels(path, slow, name="i"), slow


def write(path: Path, options: dict[str, object]) -> Path:
    options = dict(options)
    if options.pop("bigtiff", False):
        with tifffile.TiffWriter(path, bigtiff=True) as tiff:
            tiff.write(
                textured(700, 901), tile=(256, 256), compression="jpeg", photometric="rgb", metadata=None
            )
        return path
    return write_pyramid(path, textured(700, 901), **options)


@pytest.mark.parametrize("options", SAME)
def test_the_fast_path_gives_the_pixels_of_openslide(tmp_path, options):
    fast, slow = opened(write(tmp_path / "slide.tif", options))
    assert fast is not None
    assert fast.sizes == slow.sizes
    for level, (width, height) in enumerate(fast.sizes):
        box = {"row": 0, "col": 0, "shape": (height, width)}
        np.testing.assert_array_equal(fast.read(level, **box), slow.read(level, **box))
    error = np.abs(fast.read(0, row=0, col=0, shape=(700, 900)).astype(int) - textured(700, 901)[:, :900])
    assert error.mean() < 3  # the colours are those that were written, not another colour space's


def test_colour_planes_kept_apart_are_left_to_openslide(tmp_path):
    path = tmp_path / "slide.tif"
    planes = np.moveaxis(textured(600, 600), 2, 0)
    tifffile.imwrite(path, planes, tile=(256, 256), photometric="rgb", planarconfig="separate", metadata=None)
    try:
        fast, _ = opened(path)
    except UnreadableImageError:
        return  # this OpenSlide cannot read it either
    assert fast is None


def test_a_file_with_two_pages_of_one_size_is_left_to_openslide(tmp_path):
    path = tmp_path / "slide.tif"
    with tifffile.TiffWriter(path) as tiff:
        for seed in (1, 2):
            tiff.write(textured(600, 600, seed=seed), tile=(256, 256), photometric="rgb", metadata=None)
    assert opened(path)[0] is None


def test_a_level_that_decodes_differently_is_left_to_openslide(tmp_path, monkeypatch):
    path = write_pyramid(tmp_path / "slide.tif", textured(600, 600))
    read = TiffLevels.read
    monkeypatch.setattr(TiffLevels, "read", lambda self, level, **box: read(self, level, **box) ^ 1)
    assert opened(path)[0] is None


def test_an_overwritten_tile_is_reported_and_not_shown_as_tissue(tmp_path):
    path = write_pyramid(tmp_path / "slide.tif", textured(1500, 1500), levels=1)
    with tifffile.TiffFile(path) as tiff:
        offset = tiff.pages.first.dataoffsets[0]
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(bytes(100))
    with (
        open_slide(path, name="i17") as slide,
        pytest.raises(UnreadableImageError, match="tile 0 of level 0"),
    ):
        slide.read(WorkingBox(0, 0, 10, 10), downsample=1.0)


def write_ome(path: Path, rgb: np.ndarray, *reduced: np.ndarray) -> Path:
    options = {"tile": (256, 256), "photometric": "rgb", "compression": "deflate"}
    metadata = {"axes": "YXS", "PhysicalSizeX": 0.25, "PhysicalSizeY": 0.25}
    with tifffile.TiffWriter(path, ome=True) as tiff:
        tiff.write(rgb, subifds=len(reduced), metadata=metadata, **options)
        for level in reduced:
            tiff.write(level, subfiletype=1, **options)
    return path


def halved(rgb: np.ndarray) -> np.ndarray:
    return cv2.resize(rgb, (rgb.shape[1] // 2, rgb.shape[0] // 2), interpolation=cv2.INTER_AREA)


def test_the_reduced_levels_of_an_ome_tiff_are_used(tmp_path):
    rgb = textured(1500, 1701)
    path = write_ome(tmp_path / "s.ome.tif", rgb, halved(rgb), halved(halved(rgb)))
    with open_slide(path, name="i") as slide:
        assert slide.level_downsamples == (1.0, 2.0, 4.0)
        got = slide.read(WorkingBox(0, 0, 750, 850), downsample=2.0)
    np.testing.assert_array_equal(got, halved(rgb))


def test_a_reduced_level_that_shows_something_else_is_not_used(tmp_path):
    path = write_ome(tmp_path / "s.ome.tif", textured(1500, 1700), 255 - halved(textured(1500, 1700)))
    with open_slide(path, name="i") as slide:
        assert slide.level_downsamples == (1.0,)
        got = slide.read(WorkingBox(0, 0, 750, 850), downsample=2.0)
    np.testing.assert_array_equal(got, halved(textured(1500, 1700)))


@pytest.mark.real
def test_real_cores_decode_as_openslide_decodes_them(real_data):
    for path in sorted((real_data / "ihc_cores").glob("*.tif")):
        fast, slow = opened(path)
        assert fast is not None
        for level, row, col in ((0, 2000, 2500), (1, 1000, 1000), (2, 300, 500), (3, 100, 0)):
            box = {"row": row, "col": col, "shape": (300, 400)}
            np.testing.assert_array_equal(fast.read(level, **box), slow.read(level, **box))


@pytest.mark.real
def test_a_real_aperio_slide_decodes_as_openslide_decodes_it(real_data):
    path = real_data / "slides" / "CMU-1-Small-Region.svs"
    with open_slide(path, name="i") as slide:
        stated = slide.pixel_size
        got = slide.read(WorkingBox(0, 0, 2967, 2220), downsample=1.0)
    slow = OpenSlideLevels(path, name="i").read(0, row=0, col=0, shape=(2967, 2220))
    np.testing.assert_array_equal(got, slow)
    assert stated is not None
    assert (stated.mpp, stated.origin) == (0.499, "vendor")
    assert isinstance(slide, PyramidSlide)
