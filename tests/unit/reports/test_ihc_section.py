from __future__ import annotations

from her2path.domain.ihc import Reactivity
from her2path.io.documents import CallDoc, IhcScoreDoc, read_document, write_document
from her2path.reports.evidence import gather_images
from her2path.reports.ihc_section import Scheme, ihc_section, overlay_legend
from tests.support.case_documents import CLEAN, TWO_PLUS, Ihc, Setting, write_case

CUTS = {"pct_weak_moderate": (10.0,), "pct_stained": (10.0,)}


def section(root, scheme: Scheme, guideline: str, cells=TWO_PLUS):
    call, artefacts = write_case(root, "c1", Ihc("a1", cells), setting=Setting(guideline))
    (image,) = gather_images(read_document(call, CallDoc), artefacts)
    return ihc_section(image, scheme, cuts=CUTS, overlay=None)


def printed(table):
    return {row.label: (row.cells, row.pct) for row in table.rows}


def test_a_breast_guideline_sorts_cells_by_completeness_and_intensity(tmp_path):
    (table,) = section(tmp_path, Scheme.CLASSES, "breast_2018").tables
    assert printed(table) == {
        "Complete, intense": ("0", "0.00"),
        "Complete, weak to moderate": ("260", "26.00"),
        "Incomplete, moderate to intense": ("90", "9.00"),
        "Incomplete or faint": ("250", "25.00"),
        "No staining": ("400", "40.00"),
        "All stained cells": ("600", "60.00"),
    }


def test_another_guideline_sorts_cells_by_level_whatever_part_of_the_membrane_stains(tmp_path):
    levels, classes = section(tmp_path, Scheme.LEVELS, "gastroesophageal_2016").tables
    assert printed(levels) == {
        "Strong": ("0", "0.00"),
        "Weak to moderate": ("350", "35.00"),
        "Faint": ("250", "25.00"),
        "No staining": ("400", "40.00"),
        "Weak to moderate or strong": ("350", "35.00"),
        "All stained cells": ("600", "60.00"),
    }
    assert classes.caption == "The same cells by completeness and intensity"
    assert printed(classes)["Complete, weak to moderate"] == ("260", "26.00")


def test_only_the_table_of_the_bar_carries_its_colours(tmp_path):
    levels, classes = section(tmp_path, Scheme.LEVELS, "gastroesophageal_2016").tables
    assert [bool(row.fill) for row in levels.rows] == [not row.is_sum for row in levels.rows]
    assert not any(row.fill for row in classes.rows)


def test_an_interval_of_a_level_that_spans_its_cut_says_so(tmp_path):
    near = {"complete_weak_moderate": 105, "none": 895}
    levels, _ = section(tmp_path, Scheme.LEVELS, "gastroesophageal_2016", near).tables
    spans = {row.label: row.spans for row in levels.rows}
    assert (spans["Weak to moderate"], spans["Strong"]) == ("10 %", "")


def test_the_largest_clusters_are_listed_where_the_guideline_reads_levels(tmp_path):
    call, artefacts = write_case(
        tmp_path, "c1", Ihc("a1", TWO_PLUS), setting=Setting("gastroesophageal_2016")
    )
    score = next(path for path in artefacts if path.name == "ihc_score.json")
    document = read_document(score, IhcScoreDoc)
    clusters = {Reactivity.WEAK_MODERATE: 12, Reactivity.FAINT: 40}
    measured = document.model_copy(
        update={"result": document.result.model_copy(update={"clusters": clusters})}
    )
    write_document(score, measured)
    (image,) = gather_images(read_document(call, CallDoc), artefacts)
    shown = {
        scheme: [(f.label, f.count) for f in ihc_section(image, scheme, cuts={}, overlay=None).facts]
        for scheme in Scheme
    }
    listed = [
        ("Largest cluster of weak to moderate or strong cells", "12"),
        ("Largest cluster of stained cells", "40"),
    ]
    assert shown[Scheme.LEVELS] == [*shown[Scheme.CLASSES], *listed]


def test_the_bar_shows_the_levels_that_the_guideline_reads(tmp_path):
    bar = str(section(tmp_path, Scheme.LEVELS, "gastroesophageal_2016").bar)
    assert "<desc>Strong 0.0 %; Weak to moderate 35.0 %; Faint 25.0 %; No staining 40.0 %</desc>" in bar


def test_the_colours_of_the_overlay_are_named_as_the_guideline_reads_cells():
    scores, levels = ([item.label for item in overlay_legend(scheme)] for scheme in Scheme)
    assert scores == ["cell scored 3+", "cell scored 2+", "cell scored 1+", "cell scored 0", "not scored"]
    assert levels[:2] == ["strong staining", "weak to moderate staining"]
    assert not any("+" in label for label in levels)


def test_an_interval_of_the_h_score_without_width_is_not_printed_as_certainty(tmp_path):
    facts = {row.label: row.count for row in section(tmp_path, Scheme.CLASSES, "breast_2023", CLEAN).facts}
    assert facts["95 % interval of the H-score"] == "not known: all scored cells stain alike"
