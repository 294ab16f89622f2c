"""Every tally on and beside the cut-points has one score, and it is that of the printed table."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import combinations, product

import numpy as np
import pytest

from her2path.domain.case import Specimen
from her2path.domain.flags import Flag
from her2path.domain.guideline.registry import GUIDELINES
from her2path.domain.guideline.rules import decide
from her2path.domain.ihc import Intensity, Pattern, Reactivity
from tests.support.grids import EVERY_STAINING, TallyGrid, spread, the_one_rule
from tests.support.published.scores import (
    BIOPSY_BY_ANY_CELL,
    BIOPSY_BY_CLUSTER,
    RESECTION,
    Scores,
    colon_biopsy,
    stomach_biopsy,
)

EVERY = pytest.mark.parametrize("guideline", GUIDELINES.values(), ids=lambda g: g.id)
BLANK = pytest.mark.parametrize(
    "blank",
    [
        pytest.param(Fraction(0), id="no blank"),
        pytest.param(Fraction(1, 1000), id="blank 0.1 %"),
        pytest.param(Fraction(1, 20), id="blank 5 %"),
        pytest.param(Fraction(1, 10) - Fraction(1, 10**6), id="blank just below 10 %"),
    ],
)
# Tenths of a per cent on and beside 0, 5, 10, 30 and 50 %; sums of two and three meet the cuts too.
NEAR = (0, 1, 2, 49, 50, 51, 98, 99, 100, 101, 299, 300, 301, 499, 500, 501)
BREAST_CLASSES = (
    (Intensity.STRONG, Pattern.COMPLETE),
    (Intensity.MODERATE, Pattern.COMPLETE),
    (Intensity.STRONG, Pattern.BASOLATERAL),
    (Intensity.FAINT, Pattern.INCOMPLETE),
)
LEVELS = (
    (Intensity.STRONG, Pattern.BASOLATERAL),
    (Intensity.MODERATE, Pattern.INCOMPLETE),
    (Intensity.FAINT, Pattern.COMPLETE),
)


def classes_of(guideline) -> tuple[tuple[Intensity, Pattern], ...]:
    return BREAST_CLASSES if guideline.family == "breast" else LEVELS


def printed(guideline, grid: TallyGrid) -> Scores:
    table = RESECTION[guideline.id]
    if grid.specimen is Specimen.BIOPSY and guideline.id in BIOPSY_BY_ANY_CELL:
        table = colon_biopsy
    return table(grid.stained, grid.total, grid.limit_of_blank)


def assert_as_printed(guideline, grid: TallyGrid) -> None:
    """Each tally has one rule, whose score, extent and flags are those of the printed table."""
    rule = the_one_rule(guideline.ihc, grid)
    expected = printed(guideline, grid)
    then = [one.then for one in guideline.ihc]
    columns = {
        "score": (np.array([int(str(s.score)[0]) for s in then]), expected.score),
        "undefined": (np.array([Flag.UNDEFINED_PATTERN in s.flags for s in then]), expected.is_undefined),
        "focal": (np.array([Flag.FOCAL_INTENSE in s.flags for s in then]), expected.is_focal),
    }
    if expected.extent is not None:
        columns["extent"] = (np.array([str(s.reads_as or "") for s in then]), expected.extent)
    for name, (of_rule, wanted) in columns.items():
        wrong = np.flatnonzero(of_rule[rule] != wanted)
        assert not wrong.size, (
            f"{name} of {grid.at(int(wrong[0]))}: {guideline.ihc[rule[wrong[0]]].id}, not {wanted[wrong[0]]}"
        )


def test_every_guideline_has_its_printed_scores():
    assert set(RESECTION) == set(GUIDELINES)


@EVERY
def test_the_lattice_lies_on_both_sides_of_every_cut(guideline):
    for cut in guideline.ihc_cuts:
        if cut.quantity.unit.startswith("per cent"):
            on = 10 * int(cut.value)
            assert {on - 1, on, on + 1} <= set(NEAR), cut


@pytest.mark.parametrize(
    ("guideline", "specimen"),
    [
        pytest.param(guideline, specimen, id=f"{guideline.id}, {specimen or 'specimen not stated'}")
        for guideline, specimen in product(GUIDELINES.values(), (*Specimen, None))
        # Those are read by clusters, below.
        if specimen is not Specimen.BIOPSY or guideline.id not in BIOPSY_BY_CLUSTER
    ],
)
@BLANK
def test_every_tally_by_tenths_of_a_per_cent_has_the_one_score_that_is_printed(guideline, blank, specimen):
    grid = TallyGrid.over(dict.fromkeys(classes_of(guideline), NEAR), limit_of_blank=blank, specimen=specimen)

    assert grid.size > 2500
    assert_as_printed(guideline, grid)


@EVERY
@BLANK
def test_every_way_to_stain_is_read_as_the_guideline_reads_it(guideline, blank):
    """One way alone at every percentage, and any two of the twelve together on the cuts."""
    alone = [TallyGrid.over({key: range(1001)}, limit_of_blank=blank) for key in EVERY_STAINING]
    pairs = [
        TallyGrid.over(dict.fromkeys(pair, NEAR), limit_of_blank=blank)
        for pair in combinations(EVERY_STAINING, 2)
    ]

    assert_as_printed(guideline, TallyGrid.joined([*alone, *pairs]))


@EVERY
@BLANK
@pytest.mark.parametrize(
    ("total", "cells"),
    [
        # 10 % is no whole number of 21 or 23 cells; of 20 and 40 it is, and so are 30 and 50 %.
        pytest.param(20, range(21), id="20 cells"),
        pytest.param(21, range(14), id="21 cells"),
        pytest.param(23, range(14), id="23 cells"),
        pytest.param(40, (0, 1, 2, 3, 4, 5, 11, 12, 13, 19, 20, 21), id="40 cells"),
    ],
)
def test_a_percentage_does_not_depend_on_how_many_cells_were_scored(guideline, blank, total, cells):
    grid = TallyGrid.over(dict.fromkeys(classes_of(guideline), cells), total, limit_of_blank=blank)

    assert_as_printed(guideline, grid)


@EVERY
def test_every_score_rule_decides_somewhere(guideline):
    used = set()
    for blank, specimen in product((Fraction(0), Fraction(1, 20)), (Specimen.RESECTION, Specimen.BIOPSY)):
        for clusters in ((0, 0, 0), (0, 0, 5), (0, 5, 5), (5, 5, 5)):
            levels = dict(zip(Reactivity, clusters, strict=False))
            grid = TallyGrid.over(
                dict.fromkeys(classes_of(guideline), (0, 1, 40, 60, 99, 101, 301, 501)),
                limit_of_blank=blank,
                specimen=specimen,
                clusters=levels,
            )
            used |= {guideline.ihc[i].id for i in set(the_one_rule(guideline.ihc, grid).tolist())}

    assert used == {rule.id for rule in guideline.ihc}


@EVERY
def test_a_score_that_a_policy_gives_is_flagged_as_one(guideline):
    """Cells within the limit of blank are no case for a second look; everything else is."""
    for rule in guideline.ihc:
        assert (Flag.POLICY in rule.then.flags) is (rule.is_policy and rule.id != "IHC-0-BLANK"), rule.id


@pytest.mark.parametrize("name", BIOPSY_BY_CLUSTER)
@BLANK
def test_a_biopsy_of_the_stomach_is_scored_by_clusters_of_five_whatever_the_percentage(name, blank):
    rules = GUIDELINES[name].ihc
    sizes = (0, 1, 4, 5, 6, 200)
    for strong, moderate, faint in product(sizes, repeat=3):
        if not strong <= moderate <= faint:
            continue
        levels = {Reactivity.STRONG: strong, Reactivity.WEAK_MODERATE: moderate, Reactivity.FAINT: faint}
        grid = TallyGrid.over(
            dict.fromkeys(LEVELS, (0, 1, 49, 50, 51, 99, 100, 101, 300)),
            limit_of_blank=blank,
            specimen=Specimen.BIOPSY,
            clusters=levels,
        )
        rule = the_one_rule(rules, grid)
        cells = list(grid.stained.values())
        # A level that no cell has, has no cluster.
        largest = [np.where(sum(cells[: n + 1]) > 0, size, 0) for n, size in enumerate(levels.values())]
        wanted = [stomach_biopsy(*at) for at in zip(*(one.tolist() for one in largest), strict=True)]
        found = [int(str(rules[i].then.score)[0]) for i in rule]
        assert found == wanted, levels
        is_over_blank = cells[0] * blank.denominator > blank.numerator * grid.total
        is_focal = [Flag.FOCAL_INTENSE in rules[i].then.flags for i in rule]
        assert is_focal == [score == 0 and over for score, over in zip(found, is_over_blank, strict=True)]


@EVERY
def test_a_single_tally_is_decided_as_on_the_grid(guideline):
    """The grid shows the rules; this shows that a case is read by the same ones."""
    for specimen, blank in product((Specimen.RESECTION, Specimen.BIOPSY), (Fraction(0), Fraction(1, 20))):
        grid = TallyGrid.over(
            dict.fromkeys(classes_of(guideline), NEAR),
            limit_of_blank=blank,
            specimen=specimen,
            clusters={Reactivity.STRONG: 4, Reactivity.WEAK_MODERATE: 5, Reactivity.FAINT: 5},
        )
        rule = the_one_rule(guideline.ihc, grid)
        for point in spread(grid.size, 120):
            assert decide(grid.at(point), guideline.ihc).rule is guideline.ihc[rule[point]]


@EVERY
def test_a_percentage_cut_is_a_place_where_the_reading_changes(guideline):
    """Across each cut alone, another rule decides: none of them is an ornament."""
    for cut in guideline.ihc_cuts:
        if not cut.quantity.unit.startswith("per cent"):
            continue
        changed = False
        for key in classes_of(guideline):
            others = [other for other in classes_of(guideline) if other != key]
            on = int(10 * cut.value)
            grid = TallyGrid.over({key: (on - 1, on, on + 1), **dict.fromkeys(others, (0, 60))})
            rule = the_one_rule(guideline.ihc, grid)
            value = grid.stained[key]
            for rest in product((0, 60), repeat=len(others)):
                here = np.all([grid.stained[o] == n for o, n in zip(others, rest, strict=True)], axis=0)
                changed |= len(set(rule[here & (value >= on - 1)].tolist())) > 1
        assert changed, cut


def test_a_grid_without_exactly_one_rule_is_a_failure_that_names_the_rules():
    guideline = GUIDELINES["breast_2018"]
    grid = TallyGrid.over({BREAST_CLASSES[0]: (0, 101)})
    twice = (*guideline.ihc, replace(guideline.ihc[0], id="AGAIN"))

    with pytest.raises(AssertionError, match=r"1 points without exactly one rule.*\['IHC-3', 'AGAIN'\]"):
        the_one_rule(twice, grid)
    with pytest.raises(AssertionError, match=r"1 points without exactly one rule.*\[\]"):
        the_one_rule(guideline.ihc[1:], grid)
