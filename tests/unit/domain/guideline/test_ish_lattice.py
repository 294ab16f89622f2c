"""Every count of nuclei and signals has one ISH result, and it is that of the printed table."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from her2path.domain.guideline.definition import condition_of
from her2path.domain.guideline.registry import GUIDELINES
from her2path.domain.guideline.rules import decide
from her2path.domain.ish import IshReading, SignalSummary
from tests.support.grids import CountGrid, spread, the_one_rule
from tests.support.published.groups import DUAL, SINGLE

NUCLEI = pytest.mark.parametrize("nuclei", [20, 21, 23, 40, 50, 100])
WITH_RATIO = pytest.mark.parametrize("name", sorted(DUAL))
WITHOUT_CEP17 = pytest.mark.parametrize("name", sorted(SINGLE))
HERACLES = GUIDELINES["colorectal_heracles_2015"]


def findings(rules, grid: CountGrid) -> np.ndarray:
    return np.array([str(rule.then) for rule in rules])[the_one_rule(rules, grid)]


def test_every_guideline_has_its_printed_results():
    assert set(DUAL) | {HERACLES.id} == set(GUIDELINES)
    assert {name for name, guideline in GUIDELINES.items() if guideline.ish_single} == set(SINGLE)


@WITH_RATIO
@NUCLEI
def test_every_dual_probe_count_has_the_one_result_that_is_printed(name, nuclei):
    """All totals up to 7 HER2 and 5 CEP17 copies per nucleus, one signal at a time."""
    grid = CountGrid.over(nuclei, range(7 * nuclei + 2), range(1, 5 * nuclei + 2))

    assert (findings(GUIDELINES[name].ish_dual, grid) == DUAL[name](nuclei, grid.her2, grid.cep17)).all()


@WITHOUT_CEP17
@NUCLEI
def test_every_single_probe_count_has_the_one_result_that_is_printed(name, nuclei):
    grid = CountGrid.over(nuclei, range(12 * nuclei), None)

    assert (findings(GUIDELINES[name].ish_single, grid) == SINGLE[name](nuclei, grid.her2)).all()


@pytest.mark.parametrize("nuclei", [20, 21, 23, 40, 50, 100])
def test_heracles_asks_for_half_of_the_nuclei_whatever_the_totals(nuclei):
    for amplified in range(nuclei + 1):
        share = Fraction(amplified, nuclei)
        grid = CountGrid.over(nuclei, (1, 80, 400), (1, 40, 400), share)
        wanted = "amplified" if 2 * amplified >= nuclei else "not_amplified"
        assert set(findings(HERACLES.ish_dual, grid).tolist()) == {wanted}, share


@WITH_RATIO
def test_every_ish_rule_decides_somewhere(name):
    guideline = GUIDELINES[name]
    dual = CountGrid.over(20, range(142), range(1, 102))
    single = CountGrid.over(20, range(142), None)

    assert set(the_one_rule(guideline.ish_dual, dual).tolist()) == set(range(len(guideline.ish_dual)))
    if guideline.ish_single:
        found = set(the_one_rule(guideline.ish_single, single).tolist())
        assert found == set(range(len(guideline.ish_single)))


@WITH_RATIO
def test_a_single_count_is_decided_as_on_the_grid(name):
    guideline = GUIDELINES[name]
    grids = [CountGrid.over(21, range(0, 150), range(1, 106))]
    grids += [CountGrid.over(21, range(0, 150), None)] if guideline.ish_single else []
    for grid in grids:
        rules = guideline.ish_single if grid.cep17 is None else guideline.ish_dual
        rule = the_one_rule(rules, grid)
        for point in spread(grid.size, 400):
            assert decide(grid.at(point), rules).rule is rules[rule[point]]


@pytest.mark.parametrize(
    ("her2", "cep17", "flagged"),
    [
        pytest.param(120, 61, True, id="ratio 1.97, copies 6.0: on the cut"),
        pytest.param(119, 61, False, id="ratio 1.95, copies 5.95"),
        pytest.param(120, 60, False, id="ratio 2.00, copies 6.0"),
        pytest.param(140, 71, True, id="ratio 1.97, copies 7.0"),
    ],
)
def test_many_copies_without_a_ratio_are_discordant_in_the_endometrium_alone(her2, cep17, flagged):
    count = IshReading(SignalSummary(20, her2, cep17))
    for guideline in GUIDELINES.values():
        flags = {str(rule.then) for rule in guideline.ish_flags if rule.when(count)}
        assert ("discordant" in flags) is (flagged and guideline.id == "endometrial_serous_2022")


@pytest.mark.parametrize(
    ("name", "cuts"),
    [
        ("breast_2007", {("her2_cep17_ratio", "1.8"), ("her2_cep17_ratio", "2.2"), ("her2_mean", "4"),
                         ("her2_mean", "6")}),
        *((f"breast_{year}", {("her2_cep17_ratio", "2"), ("her2_mean", "4"), ("her2_mean", "6")})
          for year in (2013, 2015, 2018, 2023)),
        *((name, {("her2_cep17_ratio", "2"), ("cep17_mean", "3"), ("her2_mean", "4"), ("her2_mean", "6")})
          for name in ("gastroesophageal_2016", "pantumour_tdxd_2024", "biliary_zanidatamab_2024")),
        ("colorectal_heracles_2015", {("pct_nuclei_ratio_at_least_2", "50")}),
        ("colorectal_harmonised_2019", {("her2_cep17_ratio", "2")}),
        ("endometrial_serous_2022", {("her2_cep17_ratio", "2"), ("her2_mean", "6")}),
    ],
)  # fmt: skip
def test_distances_are_stated_from_the_cuts_of_the_guideline(name, cuts):
    found = {(cut.quantity.name, cut.value) for cut in GUIDELINES[name].ish_cuts}

    assert found == {(quantity, Fraction(value)) for quantity, value in cuts}


@WITH_RATIO
def test_no_rule_divides_so_no_rounding_can_carry_a_count_across_a_cut(name):
    """Millions of signals beside a ratio of 2.0 print as 2.000 and are still told apart."""
    nuclei, cep17 = 10**6, 4 * 10**6
    for her2 in (8 * 10**6 - 1, 8 * 10**6, 8 * 10**6 + 1):
        count = IshReading(SignalSummary(nuclei, her2, cep17))
        grid = CountGrid(nuclei, np.array([her2]), np.array([cep17]))
        found = decide(count, GUIDELINES[name].ish_dual).conclusion
        assert found == DUAL[name](nuclei, grid.her2, grid.cep17)[0]


def test_a_ratio_without_cep17_is_refused_not_guessed():
    count = IshReading(SignalSummary(20, 80, 0))
    rule = GUIDELINES["breast_2018"].ish_dual[0]

    with pytest.raises(ValueError, match="^HER2/CEP17 ratio is not defined: it divides by zero$"):
        condition_of(rule)(count)


def test_rules_ask_for_nothing_but_totals_and_share():
    """Two counts with the same totals cannot be told apart, however the signals lie in the nuclei."""
    for guideline, share in product(GUIDELINES.values(), (Fraction(1, 4), Fraction(1, 2))):
        plain = IshReading(SignalSummary(20, 90, 44), share_ratio_at_least_2=share)
        rich = IshReading(
            SignalSummary(20, 90, 44), areas=3, weak_signals=5, share_ratio_at_least_2=share, blinded=True
        )
        assert decide(plain, guideline.ish_dual) == decide(rich, guideline.ish_dual)
