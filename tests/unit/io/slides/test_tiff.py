from __future__ import annotations

from pathlib import Path

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
    pytest.param({}, id="JPEG, YCbCr 4:4:4"),
    pytest.param({"subsampling": (2, 2)}, id="JPEG, YCbCr 4:2:0"),
    pytest.param({"subsampling": (2, 1)}, id="JPEG, YCbCr 4:2:2"),
    pytest.param({"photometric": "rgb"}, id="JPEG, RGB"),
    pytest.param({"compression": "deflate", "photometric": "rgb"}, id="deflate"),
    pytest.param(
        {"compression": "deflate", "photometric": "rgb", "predictor": True}, id="deflate, predictor"
    ),
    pytest.param({"compression": "lzw", "photometric": "rgb"}, id="LZW"),
    pytest.param({"compression": None, "photometric": "rgb"}, id="uncompressed"),
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
                textured(700, 900), tile=(256, 256), compression="jpeg", photometric="ycbcr", metadata=None
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


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(
            {"planarconfig": "separate", "compression": "deflate", "photometric": "rgb"}, id="planes"
        ),
        pytest.param({"compression": "webp", "photometric": "rgb"}, id="WebP"),
    ],
)
def test_other_layouts_are_left_to_openslide(tmp_path, options):
    rgb = textured(600, 600)
    if options.get("planarconfig") == "separate":
        path = tmp_path / "slide.tif"
        tifffile.imwrite(path, np.moveaxis(rgb, 2, 0), tile=(256, 256), metadata=None, **options)
    else:
        path = write_pyramid(tmp_path / "slide.tif", rgb, **options)
    try:
        fast, _ = opened(path)
    except UnreadableImageError:
        return  # OpenSlide cannot read it either
    assert fast is None


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
