from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from her2path.io.slides.field import ArrayLevels
from her2path.io.slides.opening import open_slide
from her2path.io.slides.pyramid import PyramidSlide, StatedPixelSize
from her2path.io.slides.source import SlideSource, WorkingBox
from tests.support.slides import Rgb, textured, write_pyramid

NOTHING = StatedPixelSize(None, "the file states no pixel size")


class SizesOnly:
    """Levels of given sizes, grey 10, 20, ... by level."""

    def __init__(self, *sizes: tuple[int, int]) -> None:
        self.sizes = sizes

    def read(self, level: int, *, row: int, col: int, shape: tuple[int, int]) -> Rgb:  # noqa: ARG002  (the port's signature)
        return np.full((*shape, 3), 10 * (level + 1), dtype=np.uint8)

    def close(self) -> None:
        pass


def slide_over(rgb: Rgb) -> PyramidSlide:
    return PyramidSlide(ArrayLevels(rgb), vendor="test", stated=NOTHING)


def test_a_pyramid_is_a_slide_source():
    source: SlideSource = slide_over(textured(10, 10))
    assert source.size_px0 == (10, 10)


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        pytest.param(
            ((5468, 5468), (2734, 2734), (1367, 1367), (683, 683), (341, 341)), (1, 2, 4, 8, 16), id="floor"
        ),
        pytest.param(((46001, 32915), (11501, 8229), (2876, 2058)), (1, 4, 16), id="ceil"),
        pytest.param(((1000, 500), (300, 150)), (1, 1000 / 300), id="not whole"),
    ],
)
def test_downsamplings_are_those_the_levels_were_made_with(sizes, expected):
    slide = PyramidSlide(SizesOnly(*sizes), vendor="test", stated=NOTHING)
    assert slide.level_downsamples == pytest.approx(expected)


@pytest.mark.parametrize(
    ("downsample", "grey"), [(1.0, 10), (1.9, 10), (2.0, 20), (3.99, 20), (4.0, 30), (9.0, 30)]
)
def test_the_coarsest_level_that_is_fine_enough_is_read(downsample, grey):
    slide = PyramidSlide(SizesOnly((800, 800), (400, 400), (200, 200)), vendor="test", stated=NOTHING)
    assert (slide.read(WorkingBox(2, 2, 5, 5), downsample=downsample) == grey).all()


def test_outside_the_image_is_white():
    got = slide_over(np.zeros((10, 10, 3), dtype=np.uint8)).read(WorkingBox(-4, 6, 8, 8), downsample=1.0)
    expected = np.full((8, 8, 3), 255, dtype=np.uint8)
    expected[4:, :4] = 0
    np.testing.assert_array_equal(got, expected)


def test_a_working_pixel_half_outside_is_half_white():
    got = slide_over(np.zeros((3, 3, 3), dtype=np.uint8)).read(WorkingBox(0, 0, 2, 2), downsample=2.0)
    assert got[:, :, 0].tolist() == [[0, 128], [128, 191]]


def test_a_box_far_outside_is_white():
    got = slide_over(textured(10, 10)).read(WorkingBox(500, 500, 3, 3), downsample=2.0)
    assert (got == 255).all()


@pytest.mark.parametrize("downsample", [1.0, 2.0, 2.19, 4.0, 5.7, 8.0])
def test_boxes_of_any_size_join_without_a_seam(tmp_path, downsample):
    path = write_pyramid(tmp_path / "slide.tif", textured(1111, 1303), levels=4)
    with open_slide(path, name="i") as slide:
        height, width = int(1111 / downsample) + 1, int(1303 / downsample) + 1
        whole = slide.read(WorkingBox(0, 0, height, width), downsample=downsample)
        step = 97
        for row in range(0, height, step):
            for col in range(0, width, step):
                box = WorkingBox(row, col, min(step, height - row), min(step, width - col))
                part = slide.read(box, downsample=downsample)
                np.testing.assert_array_equal(part, whole[row : row + step, col : col + step])


def test_a_large_box_read_in_parts_equals_one_read_at_once(monkeypatch):
    slide = slide_over(textured(700, 900))
    box = WorkingBox(0, 0, 250, 300)
    at_once = slide.read(box, downsample=2.7)
    monkeypatch.setattr("her2path.io.slides.pyramid._MAX_LEVEL_PIXELS", 10_000)
    np.testing.assert_array_equal(slide.read(box, downsample=2.7), at_once)


def test_levels_agree_on_where_things_are(tmp_path):
    rgb = np.full((2048, 2048, 3), 240, dtype=np.uint8)
    rgb[1000:1100, 600:700] = 40
    path = write_pyramid(tmp_path / "slide.tif", rgb, levels=4, compression="deflate")
    with open_slide(path, name="i") as slide:
        for downsample in (1.0, 2.0, 2.5, 4.0, 8.0):
            size = int(2048 / downsample)
            dark = 240.0 - slide.read(WorkingBox(0, 0, size, size), downsample=downsample)[:, :, 0]
            centres = (np.arange(size) + 0.5) * downsample
            assert np.average(centres, weights=dark.sum(axis=1)) == pytest.approx(1050, abs=0.2)
            assert np.average(centres, weights=dark.sum(axis=0)) == pytest.approx(650, abs=0.2)


@pytest.mark.parametrize("vendor", ["fast path", "OpenSlide"])
def test_threads_read_the_same_pixels(tmp_path, vendor, monkeypatch):
    if vendor == "OpenSlide":
        monkeypatch.setattr("her2path.io.slides.opening.fast_levels", lambda *_, **__: None)
    path = write_pyramid(tmp_path / "slide.tif", textured(1200, 1200))
    boxes = [WorkingBox(r, c, 150, 150) for r in range(0, 600, 150) for c in range(0, 600, 150)] * 3
    with open_slide(path, name="i") as slide, ThreadPoolExecutor(4) as pool:
        alone = [slide.read(box, downsample=2.0) for box in boxes]
        together = list(pool.map(lambda box: slide.read(box, downsample=2.0), boxes))
    np.testing.assert_array_equal(alone, together)


@pytest.mark.parametrize(
    ("box", "downsample"), [(WorkingBox(0, 0, 0, 5), 1.0), (WorkingBox(0, 0, 5, 5), 0.5)]
)
def test_an_empty_box_or_a_magnification_is_refused(box, downsample):
    with pytest.raises(ValueError, match="cannot read"):
        slide_over(textured(10, 10)).read(box, downsample=downsample)
