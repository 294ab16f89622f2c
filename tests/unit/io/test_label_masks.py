"""Masks that people give as labels: numbered objects, areas, and what is refused."""

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from her2path.errors import LabelError
from her2path.io.label_masks import read_label_mask

TWO = np.array([[0, 5, 5, 0], [0, 5, 5, 0], [0, 0, 0, 0], [9, 9, 0, 0]], np.uint16)


def written(path, values):
    if path.suffix == ".png":
        path.write_bytes(imagecodecs.png_encode(values))
    else:
        tifffile.imwrite(path, values)
    return path


@pytest.mark.parametrize("name", ["m.png", "m.tif"])
def test_numbers_become_numbers_from_one(tmp_path, name):
    found = read_label_mask(written(tmp_path / name, TWO), name=name, objects=True)
    assert found.tolist() == [[0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0], [2, 2, 0, 0]]


def test_negative_numbers_are_objects_and_zero_is_none(tmp_path):
    path = written(tmp_path / "m.tif", TWO.astype(np.int16) * np.where(TWO == 9, -1, 1).astype(np.int16))
    found = read_label_mask(path, name="m.tif", objects=True)
    assert found.tolist() == [[0, 2, 2, 0], [0, 2, 2, 0], [0, 0, 0, 0], [1, 1, 0, 0]]


def test_each_piece_of_a_mask_of_two_values_is_an_object(tmp_path):
    path = written(tmp_path / "m.png", ((TWO > 0) * 255).astype(np.uint8))
    assert read_label_mask(path, name="m", objects=True).max() == 2


def test_an_area_has_no_numbers(tmp_path):
    found = read_label_mask(written(tmp_path / "m.tif", TWO), name="m", objects=False)
    assert np.array_equal(found, (TWO > 0).astype(np.int32))


def test_a_grey_mask_saved_as_colour_is_read(tmp_path):
    path = written(tmp_path / "m.png", np.repeat(TWO.astype(np.uint8)[..., None], 3, axis=2))
    assert read_label_mask(path, name="m", objects=True).max() == 2


@pytest.mark.parametrize(
    ("values", "message"),
    [
        pytest.param(
            np.dstack([TWO, TWO * 2, TWO]).astype(np.uint8), "colour picture", id="classes in colours"
        ),
        pytest.param(np.zeros((4, 4), np.uint8), "mask is empty", id="nothing marked"),
    ],
)
def test_refused_masks(tmp_path, values, message):
    with pytest.raises(LabelError, match=message):
        read_label_mask(written(tmp_path / "m.png", values), name="m", objects=True)


@pytest.mark.parametrize("bits", [1, 4, 8])
def test_the_indices_of_a_palette_are_the_numbers(tmp_path, bits):
    numbers = np.minimum(TWO, 1) if bits == 1 else TWO
    image = Image.fromarray(numbers.astype(np.uint8), "P")
    image.putpalette([number * 31 % 256 for number in range(3 * 2**bits)])
    image.save(tmp_path / "m.png", bits=bits)
    found = read_label_mask(tmp_path / "m.png", name="m.png", objects=True)
    assert found.tolist() == [[0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0], [2, 2, 0, 0]]


@pytest.mark.parametrize(
    "values",
    [
        pytest.param((TWO == 0) * 255, id="inverted"),
        pytest.param(TWO + 1, id="a background with a number"),
    ],
)
def test_an_object_that_is_the_background_is_refused(tmp_path, values):
    path = written(tmp_path / "m.png", values.astype(np.uint8))
    with pytest.raises(LabelError, match="touches all its edges; the mask is probably inverted"):
        read_label_mask(path, name="m.png", objects=True)


def test_a_jpeg_is_no_mask_and_a_cut_file_is_refused(tmp_path):
    (tmp_path / "m.jpg").write_bytes(imagecodecs.jpeg8_encode(TWO.astype(np.uint8)))
    with pytest.raises(LabelError, match="JPEG would blur"):
        read_label_mask(tmp_path / "m.jpg", name="m.jpg", objects=True)
    whole = written(tmp_path / "m.png", TWO).read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(LabelError, match="cannot be decoded"):
        read_label_mask(tmp_path / "cut.png", name="cut.png", objects=True)
    with pytest.raises(LabelError, match="not found"):
        read_label_mask(tmp_path / "none.png", name="none.png", objects=True)
