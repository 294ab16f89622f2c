"""Files of FISH phantoms: what a microscope's reader finds in them, byte for byte the same."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import pytest
import tifffile

from her2path.io.phantom_fish_files import (
    FieldCalibration,
    write_labels,
    write_ome,
    write_record,
    write_records,
    write_rgb,
    write_split,
)

CALIBRATION = FieldCalibration(mpp=0.16, z_step_um=0.6, seed=42)


@pytest.fixture
def planes() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 4096, (3, 40, 60), dtype=np.uint16)


def _pixels(path) -> dict[str, Any]:
    with tifffile.TiffFile(path) as file:
        found = tifffile.xml2dict(file.ome_metadata)["OME"]["Image"]["Pixels"]
    assert isinstance(found, dict)
    return found


def test_an_ome_tiff_states_channels_pixel_size_and_counts(tmp_path, planes):
    path = tmp_path / "field.ome.tif"
    write_ome(path, planes, CALIBRATION)
    pixels = _pixels(path)
    assert [c["Name"] for c in pixels["Channel"]] == ["DAPI", "SpectrumOrange HER2", "SpectrumGreen CEP17"]
    assert [c["EmissionWavelength"] for c in pixels["Channel"]] == [461, 588, 524]
    assert (pixels["PhysicalSizeX"], pixels["PhysicalSizeY"]) == (0.16, 0.16)
    assert (pixels["PhysicalSizeXUnit"], pixels["PhysicalSizeYUnit"]) == ("µm", "µm")
    with tifffile.TiffFile(path) as file:
        assert file.series[0].axes == "CYX"
        np.testing.assert_array_equal(file.asarray(), planes)


def test_a_stack_states_its_planes_and_their_distance(tmp_path, planes):
    path = tmp_path / "stack.ome.tif"
    stack = np.stack([planes, planes[::-1]], axis=1)
    write_ome(path, stack, CALIBRATION)
    pixels = _pixels(path)
    assert (pixels["SizeZ"], pixels["SizeC"], pixels["PhysicalSizeZ"]) == (2, 3, 0.6)
    with tifffile.TiffFile(path) as file:
        assert file.series[0].axes == "CZYX"
        np.testing.assert_array_equal(file.asarray(), stack)


def test_the_same_seed_gives_the_same_bytes_and_no_clock_time(tmp_path, planes):
    first, second = tmp_path / "a.ome.tif", tmp_path / "deep" / "b.ome.tif"
    write_ome(first, planes, CALIBRATION)
    write_ome(second, planes, CALIBRATION)
    assert first.read_bytes() == second.read_bytes()
    with tifffile.TiffFile(first) as file:
        assert "DateTime" not in file.pages[0].tags
        assert "Date" not in file.ome_metadata


def test_each_seed_and_each_channel_has_its_own_identifier(tmp_path, planes):
    found = set()
    for seed in (1, 2):
        calibration = FieldCalibration(0.16, 0.6, seed)
        paths = [tmp_path / f"{seed}.ome.tif", *write_split(tmp_path, f"s{seed}", planes, calibration)]
        write_ome(paths[0], planes, calibration)
        for path in paths:
            with tifffile.TiffFile(path) as file:
                found.add(tifffile.xml2dict(file.ome_metadata)["OME"]["UUID"])
    assert len(found) == 8


def test_split_files_hold_one_named_channel_each(tmp_path, planes):
    paths = write_split(tmp_path, "case", planes, CALIBRATION)
    assert [p.name for p in paths] == ["case_DAPI.tif", "case_HER2.tif", "case_CEP17.tif"]
    for path, plane, name in zip(
        paths, planes, ("DAPI", "SpectrumOrange HER2", "SpectrumGreen CEP17"), strict=True
    ):
        np.testing.assert_array_equal(np.squeeze(tifffile.imread(path)), plane)
        assert _pixels(path)["Channel"]["Name"] == name


def test_a_capture_states_its_pixel_size_as_resolution(tmp_path):
    rgb = np.random.default_rng(2).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    write_rgb(tmp_path / "rgb.tif", rgb, mpp=0.16)
    with tifffile.TiffFile(tmp_path / "rgb.tif") as file:
        numerator, denominator = file.pages[0].tags["XResolution"].value
        assert 1e4 * denominator / numerator == pytest.approx(0.16)
        assert file.pages[0].tags["ResolutionUnit"].value == 3
        np.testing.assert_array_equal(file.asarray(), rgb)


def test_labels_keep_their_numbers(tmp_path):
    labels = np.arange(100_000, 100_600, dtype=np.int32).reshape(20, 30)
    write_labels(tmp_path / "labels.tif", labels)
    read = tifffile.imread(tmp_path / "labels.tif")
    assert read.dtype == np.int32
    np.testing.assert_array_equal(read, labels)


def test_channels_that_do_not_fit_the_planes_are_refused(tmp_path, planes):
    with pytest.raises(ValueError, match="3 channels cannot describe"):
        write_ome(tmp_path / "x.ome.tif", planes[:2], CALIBRATION)
    assert not (tmp_path / "x.ome.tif").exists()


class _Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True)
class _Row:
    number: int
    length: float
    seen: bool
    colour: _Colour | None


def test_records_become_rows_with_empty_cells_for_what_is_not_known(tmp_path):
    rows = [_Row(1, 0.5, True, _Colour.RED), _Row(2, 1 / 3, False, None)]
    write_records(tmp_path / "rows.tsv", _Row, rows)
    assert (tmp_path / "rows.tsv").read_text().splitlines() == [
        "number\tlength\tseen\tcolour",
        "1\t0.5000\ttrue\tred",
        "2\t0.3333\tfalse\t",
    ]


def test_no_records_still_leave_the_header(tmp_path):
    write_records(tmp_path / "rows.tsv", _Row, [])
    assert (tmp_path / "rows.tsv").read_text() == "number\tlength\tseen\tcolour\n"


def test_a_record_becomes_json_with_null_for_what_is_not_known(tmp_path):
    write_record(tmp_path / "row.json", _Row(1, 0.25, True, None))
    expected = {"number": 1, "length": 0.25, "seen": True, "colour": None}
    assert json.loads((tmp_path / "row.json").read_text()) == expected
