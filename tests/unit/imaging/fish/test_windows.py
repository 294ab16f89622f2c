"""Windows over a scan: every pixel is owned once and nothing owned is cut."""

from __future__ import annotations

import numpy as np
import pytest

from her2path.imaging.fish.windows import (
    Window,
    is_scan,
    sample_of,
    whole_window,
    window_at,
    windows_in,
)


def windows_of(height, width, *, margin):
    """Windows of an image that is one field."""
    return windows_in(whole_window(height, width), height=height, width=width, margin=margin)


@pytest.mark.parametrize(("height", "width"), [(500, 700), (4096, 4096), (4097, 900), (7000, 9001)])
def test_every_pixel_is_owned_by_exactly_one_window(height, width):
    owned = np.zeros((height, width), np.uint8)
    for window in windows_of(height, width, margin=100):
        owned[window.core_top : window.core_bottom, window.core_left : window.core_right] += 1
    assert owned.min() == owned.max() == 1


def test_a_camera_field_is_one_window():
    assert len(list(windows_of(2048, 2048, margin=100))) == 1


def test_margins_end_at_the_border_of_the_image():
    for window in windows_of(7000, 9001, margin=100):
        assert window.top == max(window.core_top - 100, 0)
        assert window.right == min(window.core_right + 100, 9001)


@pytest.mark.parametrize(
    ("height", "width", "count"), [(3000, 4096, 1), (4097, 4097, 9), (1024, 7000, 9), (700, 7000, 1)]
)
def test_levels_are_sampled_within_a_field_on_all_of_it_or_in_nine_windows(height, width, count):
    windows = sample_of(window_at(50, 60, height, width))
    assert len(windows) == count
    assert all(w.top >= 50 and w.bottom <= 50 + height for w in windows)
    assert all(w.left >= 60 and w.right <= 60 + width for w in windows)
    assert len({w.width for w in windows}) == 1


@pytest.mark.parametrize(
    ("side", "mpp", "scan"),
    [(2048, 0.35, False), (8192, 0.1, False), (8193, 0.1, True), (6000, 0.25, False), (6001, 0.25, True)],
)
def test_what_is_too_large_to_be_counted_whole_is_a_scan(side, mpp, scan):
    assert is_scan(500, side, mpp=mpp) is scan


def test_windows_in_a_field_own_it_all_and_read_around_it_inside_the_image():
    field = Window(100, 4900, 5100, 9900, 100, 4900, 5100, 9900)
    windows = list(windows_in(field, height=6000, width=9950, margin=80))
    owned = sum((w.core_bottom - w.core_top) * (w.core_right - w.core_left) for w in windows)
    assert owned == 5000 * 5000
    assert (windows[0].top, windows[0].left) == (20, 4820)
    assert windows[-1].right == 9950
    assert all(w.owns(w.core_top, w.core_left) and not w.owns(99, 5000) for w in windows)
