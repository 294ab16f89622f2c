"""Hot spots as QuPath shows them: on the slide, where it ends as well."""

from __future__ import annotations

import json

import pytest
import shapely

from her2path.io.hot_spot_areas import SpotPlace, outline_of, read_hot_spots, write_hot_spots
from her2path.io.score_entries import HotSpotEntry

SLIDE = (1300, 1024)
SHA = "ab" * 32


def spot(x, y, size=500.0):
    return HotSpotEntry(
        x_px0=x,
        y_px0=y,
        size_px0=size,
        x_um=x / 2,
        y_um=y / 2,
        size_um=size / 2,
        cells=60,
        pct=50.0,
        percentages={},
        h_score=100.0,
    )


@pytest.mark.parametrize(
    ("place", "bounds"),
    [
        pytest.param((100.0, 200.0), (100, 200, 600, 700), id="within"),
        pytest.param((100.0, 750.0), (100, 750, 600, 1024), id="at the lower edge"),
        pytest.param((1000.0, 100.0), (1000, 100, 1300, 600), id="at the right edge"),
        pytest.param((1000.0, 750.0), (1000, 750, 1300, 1024), id="in the corner"),
    ],
)
def test_a_hot_spot_ends_where_the_slide_does(tmp_path, place, bounds):
    assert outline_of(spot(*place), SLIDE).bounds == bounds
    path = tmp_path / "hotspots.geojson"
    write_hot_spots(path, [spot(*place)], image_sha256=SHA, size_px0=SLIDE)
    (feature,) = json.loads(path.read_text())["features"]
    assert shapely.geometry.shape(feature["geometry"]).bounds == bounds
    assert feature["properties"]["measurements"]["Cells"] == 60


def test_a_hot_spot_that_is_cut_off_is_shown_as_a_square_that_holds_the_rest(tmp_path):
    path = tmp_path / "hotspots.geojson"
    spots = [spot(100.0, 750.0), spot(1000.0, 750.0)]
    write_hot_spots(path, spots, image_sha256=SHA, size_px0=SLIDE)
    whole, rest = read_hot_spots(path, image_sha256=SHA)
    assert whole == SpotPlace(100.0, 750.0, 500.0)
    assert rest == SpotPlace(1000.0, 750.0, 300.0)
