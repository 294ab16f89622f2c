"""Damaged, missing and unreadable fluorescence files: refused by their place, never by their name."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from her2path.errors import (
    Her2PathError,
    ImageNotFoundError,
    UnreadableImageError,
)
from her2path.io.fields.opening import open_field
from tests.support.fish_layouts import LAYOUTS, write_layout


@pytest.mark.parametrize("kept", [0.95, 0.6, 0.3, 0.02])
@pytest.mark.parametrize(
    "layout", ["ome", "ome tiles, sheet", "imagej, sheet", "plain pages, sheet", "strips"]
)
def test_a_file_cut_short_is_refused_on_opening(tmp_path, planes, layout, kept):
    files, sheet = write_layout(layout, tmp_path, planes)
    whole = files[0].read_bytes()
    files[0].write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(UnreadableImageError):
        open_field(files, name="image", channels=sheet)


@pytest.mark.parametrize("layout", ["ome", "imagej, sheet", "plain pages, sheet", "strips", "capture"])
def test_a_damaged_file_never_ends_in_a_defect(tmp_path, planes, layout):
    rng = np.random.default_rng(5)
    if layout == "capture":
        files, sheet = [tmp_path / "capture.png"], ()
        cv2.imwrite(str(files[0]), np.moveaxis(planes >> 6, 0, 2).astype(np.uint8))
    else:
        files, sheet = write_layout(layout, tmp_path, planes)
    whole = files[0].read_bytes()
    refused = 0
    for _ in range(60):
        damaged = bytearray(whole)
        for place in rng.integers(0, min(len(whole), 900), 3):
            damaged[place] = rng.integers(0, 256)
        files[0].write_bytes(bytes(damaged))
        try:
            with open_field(files, name="image", channels=sheet) as field:
                for channel in field.channels:
                    field.plane(channel.index)
        except Her2PathError:
            refused += 1
    assert refused > 5


def damaged_in(mode, whole):
    """Bytes of a file after damage, one way a call."""
    third = len(whole) // 3
    match mode:
        case "cut off":
            return whole[:third]
        case "head alone":
            return whole[:8]
        case "noise after the head":
            return whole[:8] + np.random.default_rng(2).bytes(len(whole) - 8)
        case "zeros at the end":
            return whole[:-third] + bytes(third)
        case "zeros in the middle":
            return whole[:third] + bytes(third) + whole[2 * third :]
    raise AssertionError(mode)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_is_said_of_a_damaged_file_holds_neither_its_name_nor_its_folder(tmp_path, planes, layout):
    folder = tmp_path / "Jane_Doe"
    folder.mkdir()
    files, sheet = write_layout(layout, folder, planes)
    files = [file.rename(folder / f"Jane_Doe_{file.name}") for file in files]
    whole = files[0].read_bytes()
    said = []
    for mode in ("cut off", "head alone", "noise after the head", "zeros at the end", "zeros in the middle"):
        files[0].write_bytes(damaged_in(mode, whole))
        try:
            with open_field(files, name="image", channels=sheet) as field:
                for channel in field.channels:
                    field.plane(channel.index)
        except Her2PathError as error:
            said.append(str(error))
    assert len(said) >= 3
    for text in said:
        assert "image" in text
        assert not any(word in text for word in ("Jane", "Doe", str(tmp_path), ".tif", ".png"))


def test_a_file_that_may_not_be_read_is_named_by_its_place(tmp_path, planes, monkeypatch):
    files, _ = write_layout("one file a channel", tmp_path, planes)
    opened = Path.open

    def refuse(self, *args, **kwargs):
        if self == files[1]:
            raise PermissionError(13, "Permission denied", str(self))
        return opened(self, *args, **kwargs)

    monkeypatch.setattr(Path, "open", refuse)  # the tests may run as root, who may read everything
    with pytest.raises(UnreadableImageError, match="Permission denied") as caught:
        open_field(files, name="case-7")
    assert "'case-7 (2 of 3)'" in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


def test_a_folder_is_no_image(tmp_path):
    with pytest.raises(UnreadableImageError, match="folder"):
        open_field([tmp_path], name="image")


def test_a_text_file_named_tif_is_refused(tmp_path):
    (tmp_path / "notes.tif").write_text("not an image")
    with pytest.raises(UnreadableImageError):
        open_field([tmp_path / "notes.tif"], name="image")


def test_a_missing_file_is_named_by_its_image_and_place_never_by_its_own_name(tmp_path):
    with pytest.raises(ImageNotFoundError) as caught:
        open_field([tmp_path / "Jane_Doe.tif"], name="case-7")
    assert "'case-7'" in str(caught.value)
    assert "Jane" not in str(caught.value)


def test_a_missing_channel_file_is_named_by_its_place(tmp_path, planes):
    files, _ = write_layout("one file a channel", tmp_path, planes)
    files[1].unlink()
    with pytest.raises(ImageNotFoundError, match="image \\(2 of 3\\)"):
        open_field(files, name="image")
