from __future__ import annotations

import base64

import cv2
import numpy as np
import pytest

from her2path.errors import ArtefactError
from her2path.reports.html.pictures import read_picture


def write_noise(path, side):
    pixels = np.random.default_rng(1).integers(0, 256, (side, 2 * side, 3), dtype=np.uint8)
    assert cv2.imwrite(str(path), pixels)
    return path


def read(path, *, side=2000, size=10_000_000):
    return read_picture(path, most_side_px=side, most_bytes=size, jpeg_quality=85)


def data_of(picture):
    head, data = picture.uri.split(",")
    return head, base64.b64decode(data)


def test_a_small_picture_stands_in_the_page_byte_for_byte(tmp_path):
    path = write_noise(tmp_path / "overlay.png", 40)
    picture = read(path)
    assert data_of(picture) == ("data:image/png;base64", path.read_bytes())
    assert (picture.width, picture.height, picture.reduced) == (80, 40, False)


def test_a_large_picture_is_scaled_down_with_its_proportions(tmp_path):
    picture = read(write_noise(tmp_path / "overlay.png", 300), side=200)
    head, data = data_of(picture)
    assert head == "data:image/jpeg;base64"
    shown = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert shown.shape == (100, 200, 3)
    assert (picture.width, picture.height, picture.reduced) == (200, 100, True)


def test_a_heavy_picture_becomes_lighter_but_keeps_its_pixels(tmp_path):
    path = write_noise(tmp_path / "overlay.png", 300)
    picture = read(path, size=path.stat().st_size - 1)
    assert len(data_of(picture)[1]) < path.stat().st_size
    assert (picture.width, picture.height, picture.reduced) == (600, 300, False)


def test_a_picture_that_is_too_heavy_even_so_is_scaled_down_until_it_fits(tmp_path):
    picture = read(write_noise(tmp_path / "overlay.png", 600), size=300_000)
    assert len(data_of(picture)[1]) <= 300_000
    assert 400 < picture.width < 1200
    assert picture.reduced


def test_no_picture_becomes_too_small_to_see_cells(tmp_path):
    picture = read(write_noise(tmp_path / "overlay.png", 600), size=1)
    assert (picture.width, picture.height) == (400, 200)


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\ntruncated", b"GIF89a not a PNG"])
def test_a_damaged_picture_is_refused(tmp_path, content):
    path = tmp_path / "overlay.png"
    path.write_bytes(content)
    with pytest.raises(ArtefactError, match="overlay"):
        read(path)


def test_a_missing_picture_is_refused(tmp_path):
    with pytest.raises(ArtefactError, match=r"overlay\.png"):
        read(tmp_path / "overlay.png")
