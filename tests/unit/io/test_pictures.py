from __future__ import annotations

import cv2
import numpy as np

from her2path.io.pictures import of_slide, slide_of, write_picture

RGB = np.full((8, 12, 3), (200, 30, 60), np.uint8)


def test_a_picture_carries_the_digest_of_its_slide_and_no_other_text(tmp_path):
    write_picture(tmp_path / "a.png", RGB, slide_sha256="ab" * 32)
    png = (tmp_path / "a.png").read_bytes()
    assert slide_of(png) == "ab" * 32
    assert png.count(b"tEXt") == 1
    assert (cv2.imread(str(tmp_path / "a.png"))[..., ::-1] == RGB).all()


def test_a_picture_of_an_earlier_version_says_of_no_slide(tmp_path):
    write_picture(tmp_path / "a.png", RGB)
    png = (tmp_path / "a.png").read_bytes()
    assert slide_of(png) is None
    assert of_slide(png, "") == png
    assert slide_of(b"") is None
