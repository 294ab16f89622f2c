from __future__ import annotations

import pytest

from her2path.reports.html.scales import Scale, isolated, shortened, span


def test_twice_and_half_lie_equally_far_from_one_on_a_logarithmic_scale():
    scale = Scale(0.25, 4.0, 0.0, 100.0, log=True)
    assert scale.at(1.0) == pytest.approx(50)
    assert scale.at(2.0) - scale.at(1.0) == pytest.approx(scale.at(1.0) - scale.at(0.5))


def test_a_number_beyond_the_range_stands_at_its_end():
    assert Scale(0.0, 1.0, 10.0, 20.0).within(3.0) == 20.0


@pytest.mark.parametrize(
    ("low", "high", "log"),
    [
        pytest.param(0.0, 1.0, False, id="shares"),
        pytest.param(-0.37, 0.02, False, id="differences"),
        pytest.param(0.91, 1.08, True, id="factors close to one"),
        pytest.param(0.2, 9.0, True, id="factors far from one"),
        pytest.param(1.001, 1.0012, True, id="factors that hardly differ"),
        pytest.param(1e-3, 1e4, True, id="many powers of ten"),
    ],
)
def test_ticks_are_a_few_numbers_within_the_range(low, high, log):
    ticks = Scale(low, high, 0.0, 1.0, log=log).ticks()
    assert 2 <= len(ticks) <= 10
    assert all(low * 0.999 - 1e-9 <= tick <= high * 1.001 + 1e-9 for tick in ticks)
    assert ticks == sorted(set(ticks))


def test_values_that_are_all_alike_stand_in_the_middle_of_a_range():
    assert span([2.0, 2.0]) == pytest.approx((1.8, 2.2))
    low, high = span([2.0], log=True)
    assert low * high == pytest.approx(4.0)


def test_a_scale_without_a_range_is_refused():
    with pytest.raises(ValueError, match="no range"):
        Scale(1.0, 1.0, 0.0, 10.0)
    with pytest.raises(ValueError, match="no range"):
        Scale(0.0, 1.0, 0.0, 10.0, log=True)


def test_a_name_from_right_to_left_is_kept_apart_from_what_stands_beside_it():
    assert isolated("קורא 1") == "\u2068קורא 1\u2069"
    assert isolated("reader 1") == "reader 1"


def test_a_joined_sign_is_dropped_whole_where_a_name_is_cut():
    # A health worker with a skin tone is four code points; half of them show another face.
    assert shortened("ab\U0001f9d1\U0001f3fd\u200d\u2695\ufe0f end", 6) == "ab…"
    assert shortened("Zoe\u0308 of the second site", 5) == "Zo…"
