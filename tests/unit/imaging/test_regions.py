from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from her2path.imaging.regions import EXCLUDED_REGION, OUTSIDE_TUMOUR_REGION, region_mask, region_reasons


def multi(*polygons: shapely.Polygon) -> shapely.MultiPolygon:
    return shapely.MultiPolygon(polygons)


def by_point_test(regions: shapely.MultiPolygon, shape: tuple[int, int], px0_per_px: float) -> np.ndarray:
    rows, cols = np.mgrid[: shape[0], : shape[1]]
    return shapely.contains_xy(regions, (cols + 0.5) * px0_per_px, (rows + 0.5) * px0_per_px)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.floats(0.3, 20))
def test_a_pixel_belongs_to_a_region_if_its_centre_does(seed, px0_per_px):
    generator = np.random.default_rng(seed)
    angles = np.sort(generator.uniform(0, 2 * np.pi, 12))
    radii = generator.uniform(20, 180, 12)
    star = shapely.Polygon(np.c_[100 + radii * np.cos(angles), 90 + radii * np.sin(angles)])
    if not star.is_valid:
        return
    star = star.difference(shapely.Point(100, 90).buffer(9))
    regions = multi(star) if isinstance(star, shapely.Polygon) else star
    expected = by_point_test(regions, (70, 60), px0_per_px)
    np.testing.assert_array_equal(region_mask(regions, shape=(70, 60), px0_per_px=px0_per_px), expected)


def test_neighbouring_regions_share_no_pixel_and_leave_none_out():
    left, right = multi(shapely.box(0, 0, 10.5, 20)), multi(shapely.box(10.5, 0, 20, 20))
    masks = [region_mask(r, shape=(20, 20), px0_per_px=1.0).astype(int) for r in (left, right)]
    assert (masks[0] + masks[1] == 1).all()


def test_a_window_shows_the_same_pixels_as_the_whole():
    ring = multi(shapely.Point(50, 60).buffer(40).difference(shapely.Point(50, 60).buffer(15)))
    whole = region_mask(ring, shape=(60, 60), px0_per_px=2.0)
    window = region_mask(ring, shape=(20, 25), px0_per_px=2.0, origin_px=(15, 8))
    np.testing.assert_array_equal(window, whole[15:35, 8:33])


def test_a_region_outside_the_window_or_none_at_all_gives_an_empty_mask():
    far = multi(shapely.box(1000, 1000, 1100, 1100))
    assert not region_mask(far, shape=(10, 10), px0_per_px=1.0).any()
    assert not region_mask(shapely.MultiPolygon(), shape=(10, 10), px0_per_px=1.0).any()


def test_a_region_around_the_window_fills_it():
    assert region_mask(multi(shapely.box(-50, -50, 50, 50)), shape=(10, 10), px0_per_px=1.0).all()


def test_a_pixel_size_of_zero_is_refused():
    with pytest.raises(ValueError, match="positive"):
        region_mask(multi(shapely.box(0, 0, 1, 1)), shape=(1, 1), px0_per_px=0.0)


LEFT, TOP = multi(shapely.box(0, 0, 2, 4)), multi(shapely.box(0, 0, 4, 2))


@pytest.mark.parametrize(
    ("tumour", "excluded", "reasons"),
    [
        pytest.param(None, None, [None, None, None, None], id="nothing drawn"),
        pytest.param(LEFT, None, [None, OUTSIDE_TUMOUR_REGION] * 2, id="a tumour region"),
        pytest.param(None, TOP, [EXCLUDED_REGION] * 2 + [None] * 2, id="an excluded region"),
        pytest.param(
            LEFT,
            TOP,
            [EXCLUDED_REGION, EXCLUDED_REGION, None, OUTSIDE_TUMOUR_REGION],
            id="an excluded region outweighs the tumour region",
        ),
    ],
)
def test_drawn_regions_rule_places_out(tumour, excluded, reasons):
    x, y = np.array([1.0, 3.0, 1.0, 3.0]), np.array([1.0, 1.0, 3.0, 3.0])
    assert region_reasons(x, y, tumour, excluded).tolist() == reasons


def test_no_place_has_no_reason():
    assert region_reasons(np.empty(0), np.empty(0), LEFT, TOP).tolist() == []
