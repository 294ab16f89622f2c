"""Damaged files: the reason is told in fixed words, without the decoder's own text."""

from __future__ import annotations

import logging

import openslide
import pytest

from her2path.errors import ArtefactError, UnreadableImageError
from her2path.io.damage import DECODE_ERRORS, decoding

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
