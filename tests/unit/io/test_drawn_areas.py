from __future__ import annotations

import pytest
import shapely

from her2path.domain.edits import RegionUse
from her2path.io.drawn_areas import read_drawn_areas
from her2path.io.edited_cells import EditedCells, SlideEdits
from her2path.io.edits_documents import DrawnRegion, EditsResult
from tests.support.dicom_slide import feature, write_features

LEFT = [[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]
RIGHT = [[20, 0], [30, 0], [30, 10], [20, 10], [20, 0]]


def edits(*regions: DrawnRegion, use: RegionUse, fit: bool = True) -> SlideEdits:
    result = EditsResult(
        by="r",
        on="2026-01-02",
        tool="QuPath",
        sha256="ab",
        image_id="i",
        image_files=("cd",),
        cells=0,
        places_sha256="ef",
        tumour_use=use,
        left_out_use=use,
        regions=regions,
    )
    return SlideEdits(result, EditedCells({}, None, 0, 0, ()) if fit else None)


def region(kind: str, ring: list[list[int]]) -> DrawnRegion:
    return DrawnRegion(kind=kind, polygons=((tuple((float(x), float(y)) for x, y in ring),),))


@pytest.mark.parametrize(
    ("use", "fit", "area"),
    [
        pytest.param(RegionUse.REPLACE, True, 100, id="drawn anew"),
        pytest.param(RegionUse.ADD, True, 200, id="added"),
        pytest.param(RegionUse.REPLACE, False, 100, id="edits of another slide"),
    ],
)
def test_drawn_tumour_is_that_of_the_sheet_as_a_person_left_it(tmp_path, use, fit, area):
    sheet = write_features(tmp_path / "t.geojson", feature(LEFT, "Tumor"))
    found = read_drawn_areas(sheet, None, edits(region("Tumor", RIGHT), use=use, fit=fit), image_id="i")
    assert found.tumour is not None
    assert found.tumour.area == area
    holds = shapely.contains_xy(found.tumour, 25, 5), shapely.contains_xy(found.tumour, 5, 5)
    assert holds == (fit, use is RegionUse.ADD or not fit)


def test_what_a_person_left_out_or_called_control_is_told_apart(tmp_path):
    exclude = write_features(tmp_path / "e.geojson", feature(LEFT, "Ignore*"), feature(RIGHT, "Control: 3+"))
    more = [[40, 0], [50, 0], [50, 10], [40, 10], [40, 0]]
    added = edits(region("Control", more), region("Necrosis", more), use=RegionUse.ADD)
    found = read_drawn_areas(None, exclude, added, image_id="i")
    assert found.tumour is None
    assert found.left_out is not None
    assert found.left_out.area == 200
    assert ([area.area for area in found.controls], [area.area for area in found.added_controls]) == (
        [100],
        [100],
    )


def test_nothing_drawn_is_nothing():
    found = read_drawn_areas(None, None, SlideEdits(), image_id="i")
    assert (found.tumour, found.left_out, found.controls, found.added_controls) == (None, None, (), ())
