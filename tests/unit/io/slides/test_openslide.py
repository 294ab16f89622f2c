from __future__ import annotations

import numpy as np
import openslide
import pytest

from her2path.errors import UnreadableImageError
from her2path.io.slides.openslide import OpenSlideLevels, on_white
from tests.support.slides import textured, write_pyramid, write_scn


def test_after_an_error_the_next_read_uses_a_new_handle(tmp_path, monkeypatch):
    path = write_pyramid(tmp_path / "slide.tif", textured(300, 300))
    levels = OpenSlideLevels(path, name="i17")
    good = levels.read(0, row=10, col=20, shape=(30, 40))
    read = openslide.OpenSlide.read_region
    broken = set()

    def latching(self, *args):
        if not broken:
            broken.add(id(self))
        if id(self) in broken:
            raise openslide.OpenSlideError("TIFFRGBAImageGet failed")
        return read(self, *args)

    first = levels._handle  # kept, so that its id is not given to the next one
    monkeypatch.setattr(openslide.OpenSlide, "read_region", latching)
    with pytest.raises(UnreadableImageError, match=r"i17.*level 0 at row 10, column 20"):
        levels.read(0, row=10, col=20, shape=(30, 40))
    np.testing.assert_array_equal(levels.read(0, row=10, col=20, shape=(30, 40)), good)
    assert first is not None


def test_a_level_whose_size_was_rounded_is_read_without_a_shift(tmp_path):
    rgb = textured(1211, 1211)
    path = write_pyramid(tmp_path / "slide.tif", rgb, levels=4, compression="lzw", photometric="rgb")
    levels = OpenSlideLevels(path, name="i")
    width, height = levels.sizes[3]
    assert (width, height) == (151, 151)
    whole = levels.read(3, row=0, col=0, shape=(height, width))
    part = levels.read(3, row=60, col=31, shape=(50, 70))
    np.testing.assert_array_equal(part, whole[60:110, 31:101])


@pytest.mark.parametrize(("alpha", "expected"), [(255, 40), (0, 255), (128, 147)])
def test_transparency_is_composed_on_white(alpha, expected):
    rgba = np.full((2, 2, 4), 40, dtype=np.uint8)
    rgba[..., 3] = alpha
    assert (on_white(rgba) == expected).all()


@pytest.mark.parametrize("corner", [(64, 128), (37, 53)], ids=["on the grid of tiles", "anywhere"])
def test_a_slide_that_lies_within_a_larger_plane_begins_where_qupath_lets_it_begin(tmp_path, corner):
    rgb = np.full((512, 640, 3), 230, np.uint8)
    rgb[96:144, 200:264] = (120, 60, 30)
    path = write_scn(tmp_path / "slide.scn", rgb, corner=corner, plane=(1000, 900))
    with openslide.OpenSlide(path) as plane:
        assert plane.dimensions == (1000, 900)
    levels = OpenSlideLevels(path, name="i")
    assert levels.sizes == ((640, 512), (160, 128))
    whole = levels.read(0, row=0, col=0, shape=(512, 640))
    rows, cols = np.nonzero(whole[..., 0] < 175)
    assert (rows.min(), rows.max(), cols.min(), cols.max()) == (96, 143, 200, 263)
    quarter = 255.0 - levels.read(1, row=0, col=0, shape=(128, 160))[..., 0]
    dark = np.clip(quarter - 40, 0, None)
    middle = [
        (dark.sum(axis=1 - axis) * (np.arange(n) + 0.5)).sum() / dark.sum()
        for axis, n in ((0, 128), (1, 160))
    ]
    assert middle == pytest.approx([120 / 4, 232 / 4], abs=0.125)  # half a level-0 pixel
    np.testing.assert_array_equal(levels.read(0, row=90, col=190, shape=(60, 80)), whole[90:150, 190:270])
