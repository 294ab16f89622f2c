"""Files of IHC phantoms: OpenSlide reads them, repeats are exact."""

from __future__ import annotations

import json

import numpy as np
import openslide
import pyarrow.parquet as pq
import pytest

from her2path.io.geojson import read_regions
from her2path.io.phantom_files import (
    write_regions,
    write_rows,
    write_slide,
    write_truth,
    write_truth_cells,
)


@pytest.fixture
def block() -> np.ndarray:
    rows, cols = np.indices((512, 768))
    return np.stack([rows // 4 + 60, cols // 5 + 40, 255 - cols // 6], axis=-1).astype(np.uint8)


def pixels(slide: openslide.OpenSlide, x: int, y: int, level: int, size: tuple[int, int]) -> np.ndarray:
    return np.asarray(slide.read_region((x, y), level, size))[..., :3].astype(int)


@pytest.mark.parametrize("mpp", [0.25, 0.5])
def test_openslide_reads_size_and_pixel_size(tmp_path, block, mpp):
    write_slide(tmp_path / "s.tif", block, mpp=mpp)
    with openslide.OpenSlide(tmp_path / "s.tif") as slide:
        assert slide.dimensions == (768, 512)
        assert float(slide.properties["openslide.mpp-x"]) == pytest.approx(mpp)
        assert float(slide.properties["openslide.mpp-y"]) == pytest.approx(mpp)
        assert np.abs(pixels(slide, 0, 0, 0, (768, 512)) - block).max() <= 6


def test_a_slide_repeats_its_block_on_every_level(tmp_path, block):
    write_slide(tmp_path / "s.tif", block, mpp=0.5, repeat=5)
    with openslide.OpenSlide(tmp_path / "s.tif") as slide:
        assert slide.level_dimensions == ((3840, 2560), (960, 640))
        assert np.abs(pixels(slide, 1536, 1024, 0, (768, 512)) - block).max() <= 6
        reduced = block.reshape(128, 4, 192, 4, 3).mean(axis=(1, 3))
        # Chroma is subsampled, so the jump of colour at the block's edge bleeds over a few pixels.
        found = np.abs(pixels(slide, 768, 512, 1, (192, 128)) - reduced)
        assert found[4:-4, 4:-4].max() <= 8


def test_a_slide_whose_sides_are_no_multiple_of_a_tile_keeps_its_last_pixels(tmp_path, block):
    cut = np.ascontiguousarray(block[:301, :299])
    write_slide(tmp_path / "s.tif", cut, mpp=0.5)
    with openslide.OpenSlide(tmp_path / "s.tif") as slide:
        assert slide.dimensions == (299, 301)
        assert np.abs(pixels(slide, 0, 0, 0, (299, 301)) - cut).max() <= 6


def test_same_image_gives_same_bytes(tmp_path, block):
    for name in ("a.tif", "b.tif"):
        write_slide(tmp_path / name, block, mpp=0.5, repeat=2)
    assert (tmp_path / "a.tif").read_bytes() == (tmp_path / "b.tif").read_bytes()


def test_a_block_that_no_level_can_repeat_is_refused_and_leaves_no_file(tmp_path, block):
    with pytest.raises(ValueError, match="repeated"):
        write_slide(tmp_path / "s.tif", block[:, :767], mpp=0.5, repeat=9)
    assert not list(tmp_path.iterdir())


def test_a_repeated_block_has_the_levels_that_divide_it(tmp_path, block):
    cut = np.ascontiguousarray(block[:500, :500])
    write_slide(tmp_path / "s.tif", cut, mpp=0.5, repeat=20)
    with openslide.OpenSlide(tmp_path / "s.tif") as slide:
        assert slide.level_dimensions == ((10000, 10000), (2500, 2500))


def test_a_repeated_truth_moves_cells_and_counts_ids_on(tmp_path):
    columns = {
        "cell_id": np.arange(1, 3),
        "x_px0": np.array([10.5, 20.0]),
        "y_px0": np.array([1.0, 2.0]),
        "nucleus_x_px0": np.array([11.0, np.nan]),
        "kind": np.array(["tumour", "stroma"]),
    }
    rows = write_truth_cells(tmp_path / "t.parquet", columns, block_shape=(100, 200), repeat=2)
    table = pq.read_table(tmp_path / "t.parquet").to_pydict()
    assert rows == 8
    assert table["cell_id"] == list(range(1, 9))
    assert table["x_px0"] == [10.5, 20, 210.5, 220, 10.5, 20, 210.5, 220]
    assert table["y_px0"] == [1, 2, 1, 2, 101, 102, 101, 102]
    assert table["nucleus_x_px0"] == [11, None, 211, None, 11, None, 211, None]
    assert table["kind"] == ["tumour", "stroma"] * 4


def test_truth_is_sorted_json_without_nan(tmp_path):
    write_truth(tmp_path / "t.json", {"b": 1, "a": "µ"})
    assert json.loads((tmp_path / "t.json").read_text()) == {"a": "µ", "b": 1}
    with pytest.raises(ValueError, match="JSON"):
        write_truth(tmp_path / "u.json", {"a": float("nan")})


def test_regions_come_back_as_the_areas_that_were_written(tmp_path):
    square = np.array([[0.0, 0.0], [10.0, 0.0], [10.0, 5.0], [0.0, 5.0], [0.0, 0.0]])
    write_regions(tmp_path / "r.geojson", [square, square + 20])
    assert read_regions(tmp_path / "r.geojson", name="r").area == 100


def test_rows_keep_their_order_and_leave_cells_without_a_value_empty(tmp_path):
    write_rows(tmp_path / "t.tsv", [{"b": 1, "a": None}, {"b": "x", "a": 2}], delimiter="\t")
    assert (tmp_path / "t.tsv").read_text() == "b\ta\n1\t\nx\t2\n"
