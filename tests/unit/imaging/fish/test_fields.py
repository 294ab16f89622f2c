"""Fields of a scan: where tumour-sized nuclei are many and sharp, and in two areas if possible."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest
import shapely

from her2path.imaging.fish.fields import (
    AREA_GAP_UM,
    Field,
    FieldParams,
    choose_fields,
    find_tumour_sized,
    map_dapi,
    rank_fields,
)
from her2path.imaging.fish.survey import ChosenField, Drawn, Geometry, survey_image
from her2path.imaging.fish.windows import whole_window
from her2path.imaging.quality_picture import mark_fields

MPP = 0.5
PARAMS = FieldParams(count=4, side_um=200.0, min_nuclei=20)


def disc_map(discs, size, *, blur=0.0):
    """DAPI map of discs (row, col, radius) in µm on a slide of `size` µm."""
    plane = np.random.default_rng(4).normal(100, 5, [round(edge / MPP) for edge in size]).astype(np.float32)
    for row, col, radius in discs:
        cv2.circle(plane, (round(col / MPP), round(row / MPP)), round(radius / MPP), 900.0, -1)
    plane = cv2.GaussianBlur(plane, (0, 0), 0.7 + blur / MPP)
    plane += np.random.default_rng(5).normal(0, 5, plane.shape)
    return map_dapi(
        lambda w: plane[w.top : w.bottom, w.left : w.right],
        height=plane.shape[0],
        width=plane.shape[1],
        mpp=MPP,
    )


def patch(top, left, *, radius=5.0, rows=8, pitch=25.0):
    """Nuclei on a grid (µm)."""
    return [(top + pitch * i, left + pitch * j, radius) for i in range(rows) for j in range(rows)]


def fields_of(dapi, *, accept=lambda _: True, params=PARAMS):
    places, sharpness = find_tumour_sized(dapi)
    return choose_fields(rank_fields(dapi, places, sharpness, params=params), accept, mpp=MPP, params=params)


def test_nuclei_of_tumour_size_are_found_once_each_and_lymphocytes_are_not():
    dapi = disc_map(patch(50, 50) + patch(50, 400, radius=2.6), (300, 650))
    places, _ = find_tumour_sized(dapi)
    assert len(places) == 64
    assert (places[:, 1] * dapi.um < 300).all()


def test_nuclei_are_found_where_they_fill_the_whole_scan():
    places, _ = find_tumour_sized(disc_map(patch(10, 10, rows=24, pitch=12.5), (300, 300)))
    assert len(places) == 24 * 24


def test_the_map_is_the_same_whether_the_scan_is_read_in_one_window_or_many():
    plane = np.random.default_rng(1).normal(500, 50, (700, 3500)).astype(np.float32)
    dapi = map_dapi(lambda w: plane[w.top : w.bottom, w.left : w.right], height=700, width=3500, mpp=MPP)
    assert dapi.level.shape == (350, 1750)
    np.testing.assert_allclose(dapi.level[10, 1600], plane[20:22, 3200:3202].mean(), rtol=1e-4)


def test_the_field_with_most_tumour_nuclei_comes_first_and_none_overlap():
    dapi = disc_map(patch(100, 100, pitch=30.0) + patch(100, 600, pitch=20.0), (500, 900))
    fields = fields_of(dapi)
    assert fields[0].left * MPP > 450
    assert all(a.gap(b) >= 0 for a in fields for b in fields if a is not b)


def test_a_sharp_field_outweighs_a_blurred_one_with_as_many_nuclei():
    sharp = disc_map(patch(100, 100), (400, 400))
    both = disc_map(patch(100, 100), (400, 400), blur=1.5)
    assert np.median(find_tumour_sized(sharp)[1]) > 1.5 * np.median(find_tumour_sized(both)[1])


def test_a_second_area_is_chosen_even_if_its_fields_rank_behind_the_rest_of_the_first():
    rich = patch(100, 100, rows=22, pitch=20.0)
    poor = patch(200, 2000, rows=6, pitch=33.0)
    fields = fields_of(disc_map(rich + poor, (700, 2400)))
    assert {field.area for field in fields} == {1, 2}
    assert [field.area for field in fields][:2] == [1, 2]


def test_one_piece_of_tissue_is_one_area():
    fields = fields_of(disc_map(patch(100, 100, rows=22, pitch=20.0), (700, 900)))
    assert len(fields) == 4
    assert {field.area for field in fields} == {1}


@pytest.mark.parametrize(("gap_um", "areas"), [(AREA_GAP_UM, 1), (AREA_GAP_UM + MPP, 2)])
def test_fields_more_than_one_millimetre_apart_are_two_areas(gap_um, areas):
    side = 400
    ranked = [Field(0, 0, side, 50, 1.0), Field(0, round(side + gap_um / MPP), side, 50, 1.0)]
    chosen = choose_fields(ranked, lambda _: True, mpp=MPP, params=FieldParams(count=2))
    assert len({field.area for field in chosen}) == areas


def test_a_field_that_is_refused_in_full_resolution_is_replaced_by_the_next():
    dapi = disc_map(patch(100, 100, rows=22, pitch=20.0), (700, 900))
    seen = []

    def accept(field):
        seen.append(field)
        return len(seen) > 2

    fields = fields_of(dapi, accept=accept)
    assert fields
    assert all(field.gap(other) >= 0 for field in fields for other in seen[:2])


def test_fields_of_a_strip_are_as_wide_as_the_strip():
    discs = [(25 + 25 * i, 40 + 25 * j, 5.0) for i in range(5) for j in range(30)]
    fields = fields_of(disc_map(discs, (150, 900)))
    assert {(field.top, field.side * MPP) for field in fields} == {(0, 150)}
    assert len(fields) == 3


def test_an_empty_slide_has_no_field():
    assert fields_of(disc_map([], (600, 600))) == []


@cache
def scan():
    """A scan of 800 x 5100 px (0.32 µm): two patches of nuclei with signals, more than 1 mm between."""
    planes = np.random.default_rng(6).normal(100, 5, (3, 800, 5100)).astype(np.float32)
    light = np.zeros_like(planes)
    for row, col in (
        (40 + 60 * i, left + 60 * j) for left in (40, 4300) for i in range(12) for j in range(12)
    ):
        cv2.circle(light[0], (col, row), 16, 900.0, -1)
        for channel, down, right in ((1, 5, 4), (1, -6, -3), (2, 6, -6), (2, -4, 7)):
            light[channel, row + down, col + right] = 4000.0
    light[0] = cv2.GaussianBlur(light[0], (0, 0), 1.0)
    light[1:] = [cv2.GaussianBlur(plane, (0, 0), 0.7) for plane in light[1:]]
    return np.clip(planes + light, 0, 4095).astype(np.uint16)


def survey(planes, *, mpp=0.32, **drawn):
    geometry = Geometry(planes.shape[1], planes.shape[2], mpp, 65535.0)
    return survey_image(
        lambda index, w: planes[index, w.top : w.bottom, w.left : w.right],
        ("dapi", "her2", "cep17"),
        geometry,
        counted=("her2", "cep17"),
        drawn=Drawn(**drawn),
        params=FieldParams(count=3, side_um=210.0, min_nuclei=20),
    )


def test_a_scan_is_counted_in_fields_of_two_areas_and_within_drawn_regions_only():
    planes = scan()
    fields = survey(planes).fields
    assert {field.area for field in fields} == {1, 2}
    left = shapely.MultiPolygon([shapely.box(0, 0, 1500, 800)])
    assert {field.area for field in survey(planes, tumour=left).fields} == {1}
    assert all(field.window.right < 2500 for field in survey(planes, tumour=left).fields)
    assert survey(planes, excluded=shapely.MultiPolygon([shapely.box(0, 0, 5100, 800)])).code == "no_nuclei"


def test_a_cameras_field_is_taken_whole():
    planes = scan()[:, :, :1000]
    [field] = survey(planes).fields
    assert field == ChosenField(whole_window(800, 1000), 1, None, field.states)


def test_a_large_image_whose_last_window_is_a_few_pixels_wide_is_measured_on_the_others():
    # 6150 pixels are cut at 3072 and 6144; what is left held a nucleus, and its noise could not be told.
    planes = np.roll(np.pad(scan()[:, :200], ((0, 0), (0, 0), (0, 1050)), mode="wrap"), 6107, axis=2)
    assert survey(planes, mpp=0.2).states == survey(planes[:, :, :6144], mpp=0.2).states


def test_an_image_of_a_few_pixels_is_refused_with_its_size():
    found = survey(scan()[:, :12, :900])
    assert (found.code, found.detail) == (
        "no_nuclei",
        "900 x 12 pixels cannot show a nucleus; give the whole image",
    )


def test_chosen_fields_are_drawn_and_a_whole_image_is_not():
    picture = np.zeros((200, 300, 3), np.uint8)
    drawn = mark_fields(picture, {"scan.f1": (100, 200, 400, 400)}, px0_per_px=5.0)
    assert (drawn[20:24, 60:100] > 200).any()
    assert not drawn[150:, 200:].any()
    assert not mark_fields(picture, {"image": (0, 0, 1000, 1500)}, px0_per_px=5.0).any()
