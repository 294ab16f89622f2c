from __future__ import annotations

import json

import cv2
import numpy as np
import openslide
import pytest
import tifffile

from her2path.cli.step import execute, load_step
from her2path.domain.case import Assay, Controls
from her2path.domain.ish import Probe
from her2path.errors import ArtefactError
from her2path.io.documents import Producer, SheetFacts, SlideDoc, SlideResult, write_document
from her2path.io.hot_spot_areas import read_hot_spots, write_hot_spots
from her2path.io.score_entries import HotSpotEntry
from her2path.io.slide_view_file import read_view
from her2path.steps import slide_view
from her2path.steps.slide_view import SlideViewParams
from tests.support.slides import textured, write_pyramid

SHEET = SheetFacts(
    case_id="c1",
    image_id="i1",
    assay=Assay.IHC,
    guideline="breast_2023",
    probe=Probe.DUAL,
    area="",
    observer=1,
    controls=Controls.PASS,
)


def spot(x, y, *, size=1000.0, mpp=0.25):
    where = {"x_um": x * mpp, "y_um": y * mpp, "size_um": size * mpp}
    numbers = {"cells": 60, "pct": 20.0, "percentages": {}, "h_score": 100.0}
    return HotSpotEntry.model_validate({"x_px0": x, "y_px0": y, "size_px0": size, **where, **numbers})


def make(folder, rgb, *spots, mpp=0.25, **params):
    slide = write_pyramid(folder / "Doe, Jane.tif", rgb, mpp=mpp, compression="deflate")
    size = {"width_px0": rgb.shape[1], "height_px0": rgb.shape[0]}
    result = {
        "files": ({"sha256": "a", "size_bytes": 1, "format": "tiff"},),
        "vendor": "x",
        **size,
        "mpp": mpp,
        "mpp_origin": "vendor",
    }
    document = SlideDoc(
        produced_by=Producer(step="t", version="0"),
        sheet=SHEET,
        result=SlideResult.model_validate({**result, "level_downsamples": (1.0,)}),
    )
    write_document(folder / "slide.json", document)
    write_hot_spots(
        folder / "hotspots.geojson", spots, image_sha256="a", size_px0=(rgb.shape[1], rgb.shape[0])
    )
    slide_view.run(
        image=[slide],
        slide=folder / "slide.json",
        spots=folder / "hotspots.geojson",
        view=folder / "view.tif",
        params=SlideViewParams.model_validate(params),
    )
    return folder / "view.tif"


def test_hot_spots_of_another_slide_are_refused(tmp_path):
    make(tmp_path, textured(300, 300), spot(10.0, 10.0, size=200))
    with pytest.raises(ArtefactError, match="is of another image"):
        read_hot_spots(tmp_path / "hotspots.geojson", image_sha256="b")


def decoded(jpeg):
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR_RGB)


def test_tiles_are_complete_pictures_of_their_part_of_the_slide(tmp_path):
    rgb = textured(600, 900)
    level = read_view(make(tmp_path, rgb)).levels[0]
    assert (level.width, level.height, level.downsample) == (900, 600, 1.0)
    tile = decoded(level.tiles[1 * 4 + 2])  # second row, third of four columns
    assert np.abs(tile.astype(int) - rgb[256:512, 512:768]).mean() < 5


def test_a_hot_spot_is_kept_as_scanned_where_the_slide_is_shown_more_coarsely(tmp_path):
    rgb = textured(2000, 3000)
    view = read_view(make(tmp_path, rgb, spot(1500.0, 750.0), most_px=300_000))
    assert view.levels[0].downsample > 4
    [found] = view.spots
    assert (found.x_px0, found.y_px0, found.downsample) == (1500.0, 750.0, 1.0)
    assert np.abs(decoded(found.jpeg).astype(int) - rgb[750:1750, 1500:2500]).mean() < 5


def test_a_hot_spot_of_a_very_fine_scan_is_shown_at_40x(tmp_path):
    view = read_view(make(tmp_path, textured(2100, 2100), spot(0.0, 0.0, size=2000, mpp=0.125), mpp=0.125))
    assert (view.spots[0].width, view.spots[0].downsample) == (1000, 2.0)


def test_tiles_stay_within_their_bytes_and_lose_quality_before_detail(tmp_path):
    noise = np.random.default_rng(1).integers(0, 256, (600, 900, 3), np.uint8)
    best = read_view(make(tmp_path, noise))
    poorer = read_view(make(tmp_path, noise, most_bytes=best.size_bytes - 1))
    assert poorer.size_bytes < best.size_bytes
    assert poorer.levels[0].width == 900
    least = read_view(make(tmp_path, noise, most_bytes=100_000))
    assert least.size_bytes <= 100_000
    assert least.levels[0].width == 450


def test_the_file_holds_no_name_and_no_text_of_the_slide(tmp_path):
    data = make(tmp_path, textured(300, 300), spot(10.0, 10.0, size=200)).read_bytes()
    for words in (b"Doe", b"Jane", b"tifffile", str(tmp_path).encode()):
        assert words not in data
    with tifffile.TiffFile(tmp_path / "view.tif") as tiff:
        assert {key for page in tiff.pages for key in json.loads(page.description)} <= {
            "schema",
            "level",
            "spot",
            "downsample",
            "slide",
            "regions",
            "x_px0",
            "y_px0",
        }


def test_other_viewers_open_it_with_its_pixel_size(tmp_path):
    with openslide.OpenSlide(make(tmp_path, textured(600, 900))) as slide:
        assert slide.level_dimensions == ((900, 600), (450, 300), (225, 150))
        assert float(slide.properties["openslide.mpp-x"]) == pytest.approx(0.25)


def test_the_same_slide_gives_the_same_bytes(tmp_path):
    rgb = textured(600, 900)
    once = make(tmp_path, rgb, spot(0.0, 0.0, size=500)).read_bytes()
    assert make(tmp_path, rgb, spot(0.0, 0.0, size=500)).read_bytes() == once


def test_a_slide_that_cannot_be_read_leaves_a_view_of_nothing(tmp_path):
    make(tmp_path, textured(300, 300))
    (tmp_path / "Doe, Jane.tif").unlink()
    arguments = {
        "image": [tmp_path / "Doe, Jane.tif"],
        "slide": tmp_path / "slide.json",
        "spots": tmp_path / "hotspots.geojson",
        "view": tmp_path / "view.tif",
    }
    why = execute(load_step("slide_view"), arguments, SlideViewParams())
    assert why is not None
    assert why.code == "missing_file"
    assert read_view(tmp_path / "view.tif") is None


def test_a_damaged_view_is_no_view(tmp_path):
    path = make(tmp_path, textured(600, 900))
    path.write_bytes(path.read_bytes()[:400])
    with pytest.raises(ArtefactError, match="cannot be read"):
        read_view(path)


def test_a_view_without_the_place_of_a_level_is_no_view(tmp_path):
    path = make(tmp_path, textured(600, 900))
    path.write_bytes(path.read_bytes().replace(b'"downsample"', b'"downsamp??"'))
    with pytest.raises(ArtefactError, match="cannot be read"):
        read_view(path)


def test_another_tiff_is_no_view(tmp_path):
    path = tmp_path / "view.tif"
    tifffile.imwrite(path, textured(64, 64), description='{"schema": "slide_view/99"}')
    with pytest.raises(ArtefactError, match="slide_view/2"):
        read_view(path)
