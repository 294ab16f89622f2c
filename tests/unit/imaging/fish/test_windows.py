"""Windows over a scan: every pixel is owned once and nothing owned is cut."""

from __future__ import annotations

import numpy as np
import pytest

from her2path.imaging.fish.windows import Window, sample_of, windows_in, windows_of


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


def test_a_camera_field_is_sampled_whole():
    (window,) = sample_of(3000, 4096)
    assert (window.top, window.left, window.bottom, window.right) == (0, 0, 3000, 4096)


@pytest.mark.parametrize(("height", "width"), [(4097, 4097), (1024, 9000), (20_000, 5000)])
def test_a_scan_is_sampled_in_nine_windows_within_it(height, width):
    windows = sample_of(height, width)
    assert len(windows) == 9
    assert all(w.height == w.width == 1024 for w in windows)
    assert all(w.top >= 0 and w.bottom <= height and w.left >= 0 and w.right <= width for w in windows)


def test_a_narrow_scan_is_sampled_from_its_beginning():
    (window,) = sample_of(700, 9000)
    assert (window.top, window.left, window.height, window.width) == (0, 0, 700, 4096)


def test_windows_in_a_field_own_it_all_and_read_around_it_inside_the_image():
    field = Window(100, 4900, 5100, 9900, 100, 4900, 5100, 9900)
    windows = list(windows_in(field, height=6000, width=9950, margin=80))
    owned = sum((w.core_bottom - w.core_top) * (w.core_right - w.core_left) for w in windows)
    assert owned == 5000 * 5000
    assert (windows[0].top, windows[0].left) == (20, 4820)
    assert windows[-1].right == 9950
    assert all(w.owns(w.core_top, w.core_left) and not w.owns(99, 5000) for w in windows)
