"""Edits that are added to earlier ones: what counts of both, whose it is, and what must be said."""

from __future__ import annotations

from dataclasses import replace

from her2path.domain.region_use import RegionUse
from her2path.io.edits_documents import DrawnRegion, EditsResult, GivenClass
from her2path.io.edits_joining import joined, undo_faults, undone_cells
from her2path.io.qupath_cells import SCORE_CLASSES
from tests.support.edited_slides import Cell, box, editable, edits

SLIDE = editable([Cell(1)] * 6)


def given(cell_id, words):
    return GivenClass(cell_id=cell_id, x_px0=20, y_px0=20, measured="Tumor: 1+", given=words)


def drawn(kind, *corners):
    (ring,) = box(*corners)
    return DrawnRegion(kind=kind, polygons=((tuple(map(tuple, ring)),),))


FIRST = edits(
    SLIDE,
    by="A.B.",
    on="2026-11-18",
    comment="by eye",
    corrections=(given(1, "Tumor: 3+"), given(2, "Tumor: 3+"), given(3, "Stroma")),
    regions=(drawn("Necrosis", 0, 200, 90, 290),),
)
LATER = {"by": "C.D.", "on": "2026-11-20"}


def whose(edited):
    return {one.cell_id: (one.given, one.by, one.on) for one in edited.corrections}


def test_every_cell_and_region_stays_the_work_of_its_person():
    second = edits(
        SLIDE, **LATER, corrections=(given(4, "Tumor: 2+"),), regions=(drawn("Ignore*", 300, 0, 390, 90),)
    )
    both = joined(second, FIRST, undone=())
    assert whose(both) == {
        1: ("Tumor: 3+", "A.B.", "2026-11-18"),
        2: ("Tumor: 3+", "A.B.", "2026-11-18"),
        3: ("Stroma", "A.B.", "2026-11-18"),
        4: ("Tumor: 2+", "C.D.", "2026-11-20"),
    }
    assert [(one.kind, one.by, one.on) for one in both.regions] == [
        ("Necrosis", "A.B.", "2026-11-18"),
        ("Ignore*", "C.D.", "2026-11-20"),
    ]
    assert (both.by, both.persons) == ("C.D.", ("A.B.", "C.D."))
    assert [(one.by, one.comment) for one in both.earlier] == [("A.B.", "by eye")]
    assert both.overruled == ()


def test_what_an_export_only_repeats_stays_with_the_person_before():
    again = (given(1, "Tumor: 3+"), given(2, "Tumor: 2+"))
    second = edits(SLIDE, **LATER, corrections=again, regions=(drawn("Necrosis", 0, 200, 90.1, 290),))
    both = joined(second, FIRST, undone=())
    assert whose(both)[1] == ("Tumor: 3+", "A.B.", "2026-11-18")
    assert whose(both)[2] == ("Tumor: 2+", "C.D.", "2026-11-20")
    assert [(one.kind, one.by) for one in both.regions] == [("Necrosis", "A.B.")]
    assert both.cells_overruled() == {"A.B.": 1}


def test_parts_of_a_region_that_come_back_one_by_one_stay_with_the_person_before():
    one, other = drawn("Necrosis", 0, 200, 90, 290), drawn("Necrosis", 300, 200, 390, 290)
    both = one.model_copy(update={"polygons": (*one.polygons, *other.polygons)})
    first = FIRST.model_copy(update={"regions": (both,)})
    found = joined(edits(SLIDE, **LATER, regions=(one, other)), first, undone=())
    assert [(len(region.polygons), region.by) for region in found.regions] == [(1, "A.B."), (1, "A.B.")]


def test_a_third_person_leaves_the_names_of_the_first_two():
    second = joined(edits(SLIDE, **LATER, corrections=(given(4, "Tumor: 2+"),)), FIRST, undone=())
    third = edits(SLIDE, by="E.F.", on="2026-11-21", corrections=(given(1, "Ignore*"),))
    found = joined(third, second, undone=())
    assert {cell: by for cell, (_, by, _) in whose(found).items()} == {
        1: "E.F.",
        2: "A.B.",
        3: "A.B.",
        4: "C.D.",
    }
    assert found.persons == ("A.B.", "C.D.", "E.F.")


def test_edits_of_older_versions_are_by_the_person_of_the_file():
    older = EditsResult.model_validate_json(
        FIRST.model_dump_json(exclude={"corrections": {"__all__": {"by", "on"}}, "overruled": True})
    )
    both = joined(edits(SLIDE, **LATER, corrections=(given(4, "Tumor: 2+"),)), older, undone=())
    assert whose(both)[1] == ("Tumor: 3+", "A.B.", "2026-11-18")


def test_corrections_that_a_file_shows_as_measured_are_told_by_person_and_undone_only_when_asked():
    three, one = SCORE_CLASSES[3], SCORE_CLASSES[1]
    # Cell 3 shows what was measured although somebody gave it a class: it tells nothing.
    shown = replace(SLIDE, shown=[three, three, one, one, one, one])
    undone = undone_cells(shown, FIRST, {2, 3, 4, 5})
    assert [one.cell_id for one in undone] == [2]
    (words,) = undo_faults(undone)
    assert "shows 1 cells as measured to which A.B. gave another class on 2026-11-18" in words
    assert "--undo" in words
    second = edits(SLIDE, **LATER, corrections=(given(5, "Tumor: 2+"),))
    assert set(whose(joined(second, FIRST, undone=()))) == {1, 2, 3, 5}
    found = joined(second, FIRST, undone=undone)
    assert set(whose(found)) == {1, 3, 5}
    assert found.cells_overruled() == {"A.B.": 1}


def test_tumour_that_replaces_an_earlier_one_leaves_its_left_out_regions():
    first = FIRST.model_copy(update={"regions": (*FIRST.regions, drawn("Tumor", 0, 0, 400, 400))})
    second = edits(SLIDE, **LATER, regions=(drawn("Tumor", 0, 0, 300, 400),))
    both = joined(second, first, undone=())
    assert [(one.kind, one.by) for one in both.regions] == [("Necrosis", "A.B."), ("Tumor", "C.D.")]
    assert both.tumour_use is RegionUse.REPLACE
