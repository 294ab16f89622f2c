"""Which nuclei the gallery shows, and at which brightness."""

from __future__ import annotations

import numpy as np
import pytest

from her2path.imaging.fish.gallery import display_of, evenly, of_every_reason


@pytest.mark.parametrize(("number", "wanted"), [(0, 4), (3, 4), (4, 4), (41, 4), (1000, 40)])
def test_nuclei_are_chosen_once_each_in_order_and_over_the_whole_range(number, wanted):
    chosen = evenly(range(number), wanted)
    assert len(chosen) == min(number, wanted)
    assert chosen == sorted(set(chosen))
    if number > wanted:
        assert max(np.diff(chosen)) - min(np.diff(chosen)) <= 1


def test_every_reason_is_shown_before_one_is_shown_twice():
    exclusions = [*["cut_off"] * 50, None, "too_small", *["overlapping"] * 3, None]
    assert of_every_reason(exclusions, 4) == [0, 1, 52, 51]
    assert of_every_reason(exclusions, 100) == [*range(50), 52, 53, 54, 51]
    assert of_every_reason([None, None], 4) == []


def test_all_crops_share_the_levels_of_their_channel():
    ramp = np.linspace(0, 1000, 10_001, dtype=np.float32).reshape(73, 137)
    levels = display_of([{"dapi": ramp[:40], "her2": ramp}, {"dapi": ramp[40:], "her2": ramp}]).levels
    assert levels["dapi"] == pytest.approx((50.0, 995.0), abs=0.2)
    assert levels["her2"] == pytest.approx((50.0, 999.0), abs=0.2)
    assert display_of([]).levels == {}
