"""Label images: painted in windows, read back in windows, refused when they are something else."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from her2path.errors import ArtefactError
from her2path.io.label_image import LabelCanvas, LabelImage, write_labels
from her2path.io.slides.source import WorkingBox


@pytest.fixture
def painted(tmp_path):
    rng = np.random.default_rng(0)
    whole = np.zeros((700, 1300), np.int32)
    canvas = LabelCanvas(700, 1300)
    for row, col, height, width in ((0, 0, 300, 600), (200, 500, 500, 800), (690, 1290, 10, 10)):
        patch = rng.integers(0, 200_000, (height, width)).astype(np.int32)
        whole[row : row + height, col : col + width] = patch
        canvas.write(WorkingBox(row, col, height, width), patch)
    path = tmp_path / "labels.tif"
    write_labels(path, canvas)
    return whole, canvas, path


def test_what_was_painted_is_read_back_from_the_canvas_and_the_file(painted):
    whole, canvas, path = painted
    np.testing.assert_array_equal(canvas.read(WorkingBox(0, 0, 700, 1300)), whole)
    np.testing.assert_array_equal(tifffile.imread(path), whole)


@pytest.mark.parametrize(
    "box", [WorkingBox(0, 0, 700, 1300), WorkingBox(511, 500, 3, 600), WorkingBox(699, 1299, 1, 1)]
)
def test_a_window_of_the_file_is_that_part_of_the_image(painted, box):
    whole, _, path = painted
    with LabelImage(path) as labels:
        assert (labels.height, labels.width) == (700, 1300)
        expected = whole[box.row : box.row + box.height, box.col : box.col + box.width]
        np.testing.assert_array_equal(labels.read(box), expected)


def test_another_kind_of_image_is_refused(tmp_path):
    path = tmp_path / "labels.tif"
    tifffile.imwrite(path, np.zeros((20, 20), np.uint8))
    with pytest.raises(ArtefactError, match="not an int32 label image"):
        LabelImage(path)


def test_a_damaged_file_is_refused(tmp_path):
    path = tmp_path / "labels.tif"
    path.write_bytes(b"II*\0 broken")
    with pytest.raises(ArtefactError, match="labels"):
        LabelImage(path)
