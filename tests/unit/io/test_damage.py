"""Damaged files: the reason is told in fixed words, without the decoder's own text."""

from __future__ import annotations

import logging

import cv2
import numpy as np
import openslide
import pytest

from her2path.errors import ArtefactError, SlideError, UnreadableImageError
from her2path.io.damage import DECODE_ERRORS, decoding
from her2path.io.slides.opening import open_slide
from tests.support.slides import textured, write_pyramid

TEXT = "/scans/Jane_Doe/Jane_Doe.tif is broken"


@pytest.mark.parametrize("kind", DECODE_ERRORS, ids=lambda kind: kind.__name__)
def test_every_decoder_error_becomes_a_reason_without_its_text(kind):
    with pytest.raises(UnreadableImageError) as caught, decoding("i17", "its header is damaged"):
        raise kind(TEXT)
    assert str(caught.value).startswith(
        f"image 'i17' cannot be read (its header is damaged: {kind.__name__})"
    )
    assert "Jane" not in str(caught.value)


def test_the_decoders_text_is_kept_for_debugging(caplog):
    with (
        caplog.at_level(logging.DEBUG, logger="her2path.io.damage"),
        pytest.raises(UnreadableImageError),
        decoding("i17", "its header is damaged"),
    ):
        raise openslide.OpenSlideError("bad marker 0x17")
    assert "bad marker 0x17" in caplog.text


def test_errors_of_our_own_pass_unchanged():
    with pytest.raises(ArtefactError), decoding("i17", "its header is damaged"):
        raise ArtefactError("labels.tif", "is gone")


def write_slide(layout, folder):
    """Write a bright-field image in a layout; return its file."""
    rgb = textured(600, 700)
    if layout in ("png", "jpg"):
        path = folder / f"Jane_Doe.{layout}"
        cv2.imwrite(str(path), rgb)
        return path
    options = {
        "deflated tiles": {"compression": "zlib", "tile": (256, 256)},
        "JPEG tiles": {"compression": "jpeg", "tile": (256, 256)},
        "strips": {"compression": "lzw", "tile": None},
    }[layout]
    return write_pyramid(folder / "Jane_Doe.tif", rgb, photometric="rgb", **options)


@pytest.mark.parametrize("layout", ["png", "jpg", "deflated tiles", "JPEG tiles", "strips"])
def test_what_is_said_of_a_damaged_slide_holds_neither_its_name_nor_its_folder(tmp_path, layout):
    folder = tmp_path / "Jane_Doe"
    folder.mkdir()
    path = write_slide(layout, folder)
    whole = path.read_bytes()
    third = len(whole) // 3
    said = []
    for damaged in (
        whole[:third],
        whole[:8],
        whole[:8] + np.random.default_rng(2).bytes(len(whole) - 8),
        whole[:-third] + bytes(third),
        whole[:third] + bytes(third) + whole[2 * third :],
    ):
        path.write_bytes(damaged)
        try:
            with open_slide(path, name="i17") as slide:
                slide.probe()
        except SlideError as error:
            said.append(str(error))
    assert len(said) >= 3
    for text in said:
        assert "'i17'" in text
        assert not any(word in text for word in ("Jane", "Doe", str(tmp_path)))


def test_a_slide_that_fails_while_it_is_read_is_refused_without_its_path(tmp_path, monkeypatch):
    def fail(self, *_args):
        raise OSError(5, "Input/output error", str(self))

    path = tmp_path / "Jane_Doe.png"
    cv2.imwrite(str(path), textured(60, 70))
    monkeypatch.setattr("pathlib.Path.read_bytes", fail)
    with pytest.raises(UnreadableImageError, match="cannot be read") as caught:
        open_slide(path, name="i17")
    assert "Jane" not in str(caught.value)
