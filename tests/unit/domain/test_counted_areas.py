"""Fields that lie together are one area."""

from __future__ import annotations

import pytest

from her2path.domain.counted_areas import areas_of


def test_a_camera_field_is_one_area():
    assert areas_of({"image": [(0.0, 0.0), (300.0, 200.0)]}) == {"image": 1}


@pytest.mark.parametrize(
    ("apart_um", "areas"),
    [pytest.param(1000.0, 1, id="1 mm: on the cut"), pytest.param(1000.5, 2, id="more than 1 mm")],
)
def test_fields_more_than_a_millimetre_apart_are_two_areas(apart_um, areas):
    fields = {"f1": [(0.0, 0.0), (300.0, 0.0)], "f2": [(300.0 + apart_um, 0.0)]}
    assert len(set(areas_of(fields).values())) == areas


def test_fields_in_a_chain_are_one_area_however_far_its_ends():
    fields = {f"f{i}": [(800.0 * i, 0.0)] for i in (0, 2, 1, 3)}
    assert set(areas_of(fields).values()) == {1}


def test_no_field_is_no_area():
    assert areas_of({}) == {}
