"""Outlines drawn around the nests of a phantom."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from her2path.imaging.phantoms.ihc import render_ihc
from her2path.imaging.phantoms.ihc_regions import tumour_outlines
from her2path.imaging.phantoms.ihc_spec import IhcPhantomSpec


def test_an_outline_runs_at_its_margin_around_a_nest():
    labels = np.zeros((200, 300), np.int32)
    labels[80:120, 100:200] = 1
    (outline,) = tumour_outlines(labels, 0.5, margin_um=10)
    left, top, right, bottom = shapely.Polygon(outline).bounds
    assert (left, top, right, bottom) == pytest.approx((80, 60, 220, 140), abs=1.5)


def test_every_tumour_cell_of_a_phantom_lies_inside_and_the_outlines_are_sound():
    phantom = render_ihc(IhcPhantomSpec(seed=4, width_px=600, height_px=500))
    polygons = [shapely.Polygon(outline) for outline in tumour_outlines(phantom.labels, 0.5)]
    assert all(polygon.is_valid for polygon in polygons)
    assert sum(p.area for p in polygons) == pytest.approx(shapely.union_all(polygons).area)
    tumour = phantom.cells.is_tumour
    centres = shapely.points(phantom.cells.x_px0[tumour], phantom.cells.y_px0[tumour])
    assert shapely.covers(shapely.union_all(polygons), centres).all()


def test_without_tumour_there_is_no_outline():
    assert tumour_outlines(np.zeros((50, 50), np.int32), 0.5) == []
