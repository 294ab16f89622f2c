from __future__ import annotations

from fractions import Fraction

import pytest

from her2path.domain.guideline.registry import GUIDELINES
from her2path.domain.ish import IshReading, SignalSummary
from her2path.domain.margins import margins, share_axes, signal_axes


def of_signals(guideline: str, nuclei: int, her2: int, cep17: int | None) -> list[tuple[str, int, str]]:
    chosen = GUIDELINES[guideline]
    rules = chosen.ish_single if cep17 is None else chosen.ish_dual
    reading = IshReading(SignalSummary(nuclei, her2, cep17))
    return [(m.counted, m.change, m.finding) for m in margins(signal_axes(reading, rules), rules)]


@pytest.mark.parametrize(
    ("guideline", "count", "expected"),
    [
        pytest.param(
            "breast_2018",
            (20, 80, 40),
            [("her2_signals", -1, "5"), ("cep17_signals", 1, "4")],
            id="on ratio 2.0 and copies 4.0",
        ),
        pytest.param(
            "breast_2018",
            (20, 119, 60),
            [("her2_signals", -40, "5"), ("her2_signals", 1, "1"), ("cep17_signals", -1, "1")],
            id="one signal below ratio 2.0: the ratio is nearer than copies 6.0",
        ),
        pytest.param(
            "breast_2018",
            (20, 119, 80),
            [("her2_signals", -40, "5"), ("her2_signals", 1, "3"), ("cep17_signals", -21, "1")],
            id="one signal below copies 6.0",
        ),
        pytest.param(
            "breast_2018",
            (20, 240, 40),
            [("her2_signals", -161, "5"), ("cep17_signals", 81, "3")],
            id="clear amplification",
        ),
        pytest.param(
            "breast_2018",
            (20, 1, 1),
            [("her2_signals", 1, "2")],
            id="a total of zero is no count to move to",
        ),
        pytest.param(
            "breast_2007",
            (20, 88, 40),
            [
                ("her2_signals", -17, "not_amplified"),
                ("her2_signals", 1, "amplified"),
                ("cep17_signals", -1, "amplified"),
                ("cep17_signals", 9, "not_amplified"),
            ],
            id="ratio exactly 2.2 is still equivocal in 2007",
        ),
        pytest.param(
            "breast_2018",
            (20, 80, None),
            [("her2_signals", -1, "not_amplified"), ("her2_signals", 40, "amplified")],
            id="single probe on copies 4.0",
        ),
        pytest.param(
            "gastroesophageal_2016",
            (20, 110, 60),
            [
                ("her2_signals", -31, "not_amplified"),
                ("her2_signals", 10, "amplified"),
                ("cep17_signals", -1, "not_amplified"),
            ],
            id="stomach: fewer CEP17 leave the polysomy band before they raise the ratio",
        ),
    ],
)
def test_the_smallest_change_that_leads_to_another_group(guideline, count, expected):
    assert of_signals(guideline, *count) == expected


def test_totals_of_a_billion_are_searched_as_fast_as_small_ones():
    found = of_signals("breast_2018", 10**8, 10**9, 5 * 10**8)

    assert found == [("her2_signals", -1, "3"), ("cep17_signals", 1, "3")]


def of_share(share: Fraction, trials: int) -> list[tuple[str, int, str]]:
    rules = GUIDELINES["colorectal_heracles_2015"].ish_dual
    reading = IshReading(SignalSummary(trials, 60, 40), share_ratio_at_least_2=share)
    return [(m.counted, m.change, m.finding) for m in margins(share_axes(reading, share, trials), rules)]


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        pytest.param(Fraction(1, 2), [("nuclei_ratio_at_least_2", -1, "not_amplified")], id="10 of 20"),
        pytest.param(Fraction(9, 20), [("nuclei_ratio_at_least_2", 1, "amplified")], id="9 of 20"),
        pytest.param(Fraction(0), [("nuclei_ratio_at_least_2", 10, "amplified")], id="none of 20"),
        pytest.param(Fraction(1), [("nuclei_ratio_at_least_2", -11, "not_amplified")], id="all of 20"),
        pytest.param(Fraction(333, 1000), [], id="33.3 % of 20 nuclei is no number of nuclei"),
    ],
)
def test_a_share_is_moved_by_whole_nuclei(share, expected):
    assert of_share(share, 20) == expected
