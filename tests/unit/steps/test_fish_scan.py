"""A scan is counted in chosen fields only, from its quality document to its signals."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from her2path.domain.ish import IshGroup
from her2path.imaging.fish import windows
from her2path.imaging.phantoms.fish import FishPhantomSpec, render_fish, spec_for_group
from her2path.io.documents import QualityDoc, read_document
from her2path.io.tables import FISH_OBJECTS, FISH_SIGNALS, read_table
from her2path.steps import slide_quality
from tests.support.fish_fields import chain_steps, write_ome

SPEC = replace(
    spec_for_group(IshGroup.GROUP_5, FishPhantomSpec(seed=519_000, width_px=1800, height_px=700)),
    nuclei_per_mm2=4500.0,
)
PARAMS = {"fields": 2, "field_um": 100.0, "min_field_nuclei": 20}


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    """Folder of a small image that is taken for a scan of two fields of 100 µm."""
    folder = tmp_path_factory.mktemp("scan")
    path = write_ome(folder / "scan.ome.tif", render_fish(SPEC).planes)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(windows, "_LARGEST_FIELD_UM", 200.0)
        for name, step in chain_steps([path], folder / "out"):
            if name == "slide_quality":
                partial(step, params=slide_quality.SlideQualityParams(**PARAMS))()
            elif name != "fish_counts":
                step()
    return folder / "out"


def fields_of(scan):
    return {field.name: field for field in read_document(scan / "quality.json", QualityDoc).result.fields}


def test_the_fields_have_names_places_and_an_area(scan):
    fields = fields_of(scan)
    assert list(fields) == ["image.f1", "image.f2"]
    assert all(field.width_px0 * 0.16 == pytest.approx(100, abs=1) for field in fields.values())
    assert all(field.nuclei >= 20 for field in fields.values())
    findings = read_document(scan / "quality.json", QualityDoc).result.findings
    assert [finding.code for finding in findings if finding.severity == "warning"] == ["one_area"]


def test_nuclei_are_listed_where_their_centre_lies_in_a_field_and_carry_its_name(scan):
    objects = read_table(scan / "fish_objects.parquet", FISH_OBJECTS).to_pydict()
    fields = fields_of(scan)
    assert set(objects["field"]) == set(fields)
    for name, x, y in zip(objects["field"], objects["x_px0"], objects["y_px0"], strict=True):
        top, left, height, width = fields[name].place_px0
        assert top <= y < top + height
        assert left <= x < left + width


def test_a_nucleus_that_crosses_the_edge_of_a_field_is_not_cut_off_there(scan):
    objects = read_table(scan / "fish_objects.parquet", FISH_OBJECTS).to_pydict()
    cut = [
        (x, y)
        for x, y, why in zip(objects["x_px0"], objects["y_px0"], objects["exclusion"], strict=True)
        if why == "cut_off"
    ]
    assert all(min(x, y, 1800 - x, 700 - y) < 80 for x, y in cut)


def test_signals_are_those_of_nuclei_in_the_fields(scan):
    objects = read_table(scan / "fish_objects.parquet", FISH_OBJECTS).to_pydict()
    signals = read_table(scan / "fish_signals.parquet", FISH_SIGNALS).to_pydict()
    assert set(signals["nucleus_id"]) - {0} <= set(objects["nucleus_id"])
    assert len(signals["nucleus_id"]) > len(objects["nucleus_id"])
