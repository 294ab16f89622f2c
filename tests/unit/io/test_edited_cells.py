"""The cells of a slide with a person's edits in place."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from her2path.domain.flags import Flag
from her2path.domain.ihc import Intensity, Pattern
from her2path.domain.region_use import RegionUse
from her2path.errors import ArtefactError
from her2path.io.control_cells import read_control_cells
from her2path.io.documents import Producer, SourceFile, write_document
from her2path.io.edited_cells import Before, cell_batches, edit_cells, edits_entry, read_slide_edits
from her2path.io.edits_documents import DrawnRegion, EditsDoc, GivenClass
from her2path.io.scored_cells import read_scored_cells
from her2path.io.tables import IHC_CELLS, read_table
from tests.support.edited_slides import Cell, box, cell_table, editable, edits

CELLS = [
    Cell(0),
    Cell(1),
    Cell(3),
    Cell(2, "not_tumour", "not_tumour"),
    Cell(2, "outside_tumour_region"),
    Cell(2, "outside_tumour_region", "lymphocyte"),
    Cell(1, "excluded_region"),
    Cell(3, "control_tissue", control=1),
]
SLIDE = editable(CELLS, controls=[None])


def corrected(cell_id, given, measured="as measured"):
    return GivenClass(cell_id=cell_id, x_px0=0.0, y_px0=0.0, measured=measured, given=given)


def drawn(kind, *corners, expected=None):
    (ring,) = box(*corners)
    return DrawnRegion(kind=kind, expected=expected, polygons=((tuple(map(tuple, ring)),),))


@pytest.fixture
def cells(tmp_path):
    return cell_table(tmp_path / "cells.parquet", CELLS)


def edited(cells, **changes):
    return edit_cells(cells, edits(SLIDE, **changes), controls=1)


def exclusions(cells, **changes):
    return edited(cells, **changes).columns["exclusion"].to_pylist()


MEASURED = [cell.exclusion for cell in CELLS]


def test_without_a_change_nothing_changes(cells):
    found = edited(cells)
    table = read_table(cells, IHC_CELLS)
    for name, column in found.columns.items():
        if name != "in_tumour":
            assert column.to_pylist() == table[name].to_pylist(), name
    assert (found.let_in, found.left_out, found.corrected.any()) == (0, 0, False)


def test_a_given_score_changes_the_staining_of_that_cell_alone(cells):
    found = edited(cells, corrections=(corrected(2, "Tumor: 3+"), corrected(4, "Tumor")))
    assert found.columns["cell_score"].to_pylist() == [0, 3, 3, 2, 2, 2, 1, 3]
    assert found.columns["intensity"].to_pylist()[1:3] == ["strong", "strong"]
    assert found.columns["exclusion"].to_pylist() == [None] * 4 + MEASURED[4:]
    assert found.columns["in_tumour"].to_pylist() == [True] * 4 + [False] * 4
    assert found.corrected.tolist() == [False, True, False, True, False, False, False, False]
    # Single cells are told by their classes, not among those that regions moved.
    assert (found.let_in, found.left_out) == (0, 0)


def test_a_cell_that_is_no_tumour_cell_says_that_a_person_said_so(cells):
    found = exclusions(cells, corrections=(corrected(3, "Immune cells"), corrected(4, "Ignore*")))
    assert found == [None, None, "corrected_by_person", "corrected_by_person", *MEASURED[4:]]


def test_drawn_tumour_scores_the_cells_that_were_measured_beyond_the_old_one(cells):
    found = edited(cells, regions=(drawn("Tumor", 40, 0, 240, 60),))
    assert found.columns["exclusion"].to_pylist() == [
        "outside_tumour_region",
        None,
        None,
        "not_tumour",
        None,
        "lymphocyte",
        "excluded_region",
        "control_tissue",
    ]
    assert (found.let_in, found.left_out) == (1, 1)


def test_drawn_tumour_that_is_added_leaves_the_other_cells_as_they_were(cells):
    added = exclusions(cells, regions=(drawn("Tumor", 160, 0, 240, 60),), tumour_use=RegionUse.ADD)
    assert added == [None, None, None, "not_tumour", None, "lymphocyte", *MEASURED[6:]]


def test_left_out_regions_add_to_those_of_the_slide_or_take_their_place(cells):
    region = drawn("Necrosis", 0, 0, 40, 60)
    assert exclusions(cells, regions=(region,)) == ["excluded_region", *MEASURED[1:]]
    lifted = exclusions(cells, regions=(region,), left_out_use=RegionUse.REPLACE)
    assert lifted[6] is None


def test_new_control_tissue_has_the_next_number_and_is_scored_on_its_own(cells):
    found = edited(cells, regions=(drawn("Control", 40, 0, 120, 60, expected="2+"),))
    assert found.columns["control"].to_pylist() == [None, 2, 2, None, None, None, None, 1]
    assert [(one.piece, one.expected) for one in found.controls] == [("drawn 1", "2+")]
    controls = read_control_cells(cells, controls=2, edited=found)
    assert controls[1].counts == {
        (Intensity.FAINT, Pattern.INCOMPLETE): 1,
        (Intensity.STRONG, Pattern.COMPLETE): 1,
    }
    assert controls[0].cells == 1


def test_scored_cells_are_read_as_edited_and_know_whom_they_have_their_class_from(cells):
    found = edited(cells, corrections=(corrected(4, "Tumor: 3+"), corrected(1, "Stroma")))
    scored = read_scored_cells(cells, edited=found)
    assert scored.cell_id.tolist() == [2, 3, 4]
    assert scored.by_person.tolist() == [False, False, True]
    assert scored.cell_score.tolist() == [1, 3, 3]
    assert scored.excluded["corrected_by_person"] == 1


@pytest.mark.parametrize("size", [1, 3, 100])
def test_batches_of_any_size_hold_the_same_cells(cells, size):
    found = edited(cells, corrections=(corrected(2, "Tumor: 3+"),))
    names = ["cell_id", "exclusion", "cell_score"]
    rows = [row for batch in cell_batches(cells, names, size=size, edited=found) for row in batch.to_pylist()]
    assert [row["cell_id"] for row in rows] == list(range(1, 9))
    assert [row["cell_score"] for row in rows] == [0, 3, 3, 2, 2, 2, 1, 3]
    assert [row["exclusion"] for row in rows] == MEASURED


def test_cells_with_a_class_of_their_own_are_not_among_those_that_regions_leave_out(cells):
    found = edited(
        cells,
        regions=(drawn("Necrosis", 0, 0, 120, 60),),
        corrections=(corrected(1, "Tumor: 3+"), corrected(2, "Stroma")),
    )
    assert found.columns["exclusion"].to_pylist()[:3] == [None, "corrected_by_person", "excluded_region"]
    assert (found.let_in, found.left_out) == (0, 1)


def test_edits_of_other_cells_do_not_fit(cells, tmp_path):
    fewer = cell_table(tmp_path / "fewer.parquet", CELLS[:-1])
    assert edit_cells(fewer, edits(SLIDE), controls=1) is None
    table = read_table(cells, IHC_CELLS)
    x = table["x_px0"].to_numpy() + np.eye(8)[3]
    moved = table.set_column(1, table.schema.field(1), pa.array(x))
    pq.write_table(moved, tmp_path / "moved.parquet")
    assert edit_cells(tmp_path / "moved.parquet", edits(SLIDE), controls=1) is None


def test_a_table_of_an_older_version_serves_until_it_does_not_tell_enough(cells, tmp_path):
    older = [Cell(1, "isolated"), Cell(2), Cell(2, "lymphocyte"), Cell(1, "outside_tumour_region")]
    slide = editable(older)
    table = read_table(cell_table(tmp_path / "full.parquet", older), IHC_CELLS)
    path = tmp_path / "older.parquet"
    pq.write_table(table.drop_columns(["exclusion_if_drawn"]), path)
    near = edits(slide, regions=(drawn("Tumor", 0, 0, 120, 60),))
    found = edit_cells(path, near, controls=0)
    assert found.columns["exclusion"].to_pylist() == [None, None, "lymphocyte", "outside_tumour_region"]
    far = edits(slide, regions=(drawn("Tumor", 0, 0, 300, 60),))
    with pytest.raises(ArtefactError, match="did not tell whether 1 cells of the drawn regions"):
        edit_cells(path, far, controls=0)


def test_what_changed_is_told_by_class(cells):
    changes = edits(
        SLIDE,
        corrections=(
            corrected(1, "Tumor: 1+", "Tumor: Negative"),
            corrected(2, "Tumor: 3+", "Tumor: 1+"),
            corrected(3, "Stroma", "Tumor: 3+"),
        ),
        regions=(drawn("Ignore*", 0, 200, 40, 260), drawn("Necrosis", 40, 200, 90, 260)),
    )
    found = edit_cells(cells, changes, controls=1)
    entry = edits_entry(changes, found, Before(score="1+", h_score=12.5, cells=3))
    assert entry.cells_changed == {
        "Tumor: 1+": {"Tumor: 3+": 1},
        "Tumor: 3+": {"Stroma": 1},
        "Tumor: Negative": {"Tumor: 1+": 1},
    }
    assert entry.regions_changed == {"Ignore*": 1, "Necrosis": 1}
    assert (entry.by, entry.on, entry.score_before, entry.scored_cells_before) == (
        "A.B.",
        "2026-11-20",
        "1+",
        3,
    )


def test_edits_count_only_on_the_file_that_the_person_saw(cells, tmp_path):
    document = EditsDoc(produced_by=Producer(step="t", version="0"), result=edits(SLIDE))
    path = tmp_path / "edits.json"
    write_document(path, document)
    fitting = read_slide_edits(path, cells, SLIDE.slide)
    assert fitting.flags == (str(Flag.EDITED_BY_PERSON),)
    other = SLIDE.slide.model_copy(update={"files": (SourceFile(sha256="0", size_bytes=1, format="tiff"),)})
    again = read_slide_edits(path, cells, other)
    assert (again.cells, again.flags) == (None, (str(Flag.EDITS_DO_NOT_FIT),))
    nobody = read_slide_edits(None, cells, SLIDE.slide)
    assert (nobody.cells, nobody.flags, nobody.selects_tumour) == (None, (), False)


@pytest.mark.parametrize(("use", "selects"), [(RegionUse.REPLACE, True), (RegionUse.ADD, False)])
def test_only_tumour_that_replaces_the_rest_is_all_of_the_tumour(cells, tmp_path, use, selects):
    changes = edits(SLIDE, regions=(drawn("Tumor", 0, 0, 240, 60),), tumour_use=use)
    write_document(tmp_path / "e.json", EditsDoc(produced_by=Producer(step="t", version="0"), result=changes))
    assert read_slide_edits(tmp_path / "e.json", cells, SLIDE.slide).selects_tumour is selects
