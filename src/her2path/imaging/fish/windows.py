"""Windows over a field: cores that touch without overlap, and a margin read around each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

_LARGEST_FIELD_UM = 1500.0
"""Longest side (µm) of an image that is counted whole: no two fields 1 mm apart fit into a smaller one."""
_LARGEST_FIELD_PX = 8192
_WHOLE_PX = 4096
"""A field of at most this side is one window."""
_CORE_PX = 3072
_SAMPLE_PX = 1024
"""Side of the windows that the levels of a larger field are measured on."""
_SAMPLE_PLACES = (0.1, 0.5, 0.9)


@dataclass(frozen=True, slots=True)
class Window:
    """A core (what the window owns) inside what is read, in pixels of the image."""

    top: int
    left: int
    bottom: int
    right: int
    core_top: int
    core_left: int
    core_bottom: int
    core_right: int

    @property
    def height(self) -> int:
        """Rows that are read."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """Columns that are read."""
        return self.right - self.left

    @property
    def place(self) -> tuple[int, int, int, int]:
        """Top, left, height and width of what is read."""
        return self.top, self.left, self.height, self.width

    def owns(self, row: float, col: float) -> bool:
        """Whether a place (image pixels) lies in the core."""
        return self.core_top <= row < self.core_bottom and self.core_left <= col < self.core_right


def is_scan(height: int, width: int, *, mpp: float) -> bool:
    """Whether an image (pixels of `mpp` µm) is too large to be counted whole.

    Examples
    --------
    >>> is_scan(2048, 2048, mpp=0.16), is_scan(12000, 12000, mpp=0.16)
    (False, True)
    """
    longest = max(height, width)
    return longest > _LARGEST_FIELD_PX or longest * mpp > _LARGEST_FIELD_UM


def whole_window(height: int, width: int) -> Window:
    """One window over a whole image."""
    return window_at(0, 0, height, width)


def window_at(top: int, left: int, height: int, width: int) -> Window:
    """One window at a place of an image, without a margin."""
    bottom, right = top + height, left + width
    return Window(top, left, bottom, right, top, left, bottom, right)


def windows_in(core: Window, *, height: int, width: int, margin: int) -> Iterator[Window]:
    """Cut a field of an image into windows in reading order, with a margin around where there is one.

    A field that a camera could have taken is one window.

    Parameters
    ----------
    core : Window
        The field.
    height, width : int
        Size of the image in pixels; margins end there.
    margin : int
        Pixels read around a core, so that nothing the core owns is cut.

    Examples
    --------
    >>> field = whole_window(100, 5000)
    >>> [w.right for w in windows_in(field, height=100, width=6000, margin=64)]
    [3136, 5064]
    """
    rows, cols = core.core_bottom - core.core_top, core.core_right - core.core_left
    step = _WHOLE_PX if max(rows, cols) <= _WHOLE_PX else _CORE_PX
    for top in range(core.core_top, core.core_bottom, step):
        for left in range(core.core_left, core.core_right, step):
            bottom, right = min(top + step, core.core_bottom), min(left + step, core.core_right)
            yield Window(
                max(top - margin, 0),
                max(left - margin, 0),
                min(bottom + margin, height),
                min(right + margin, width),
                top,
                left,
                bottom,
                right,
            )


def sample_of(field: Window) -> tuple[Window, ...]:
    """Choose windows of a field that levels are measured on: all of it, or nine where it is large.

    Examples
    --------
    >>> len(sample_of(whole_window(2048, 2048))), len(sample_of(whole_window(6000, 5000)))
    (1, 9)
    """
    top, left = field.core_top, field.core_left
    height, width = field.core_bottom - top, field.core_right - left
    if max(height, width) <= _WHOLE_PX:
        return (window_at(top, left, height, width),)
    side = _SAMPLE_PX
    if min(height, width) < side:
        return (window_at(top, left, min(height, _WHOLE_PX), min(width, _WHOLE_PX)),)
    return tuple(
        window_at(top + int((height - side) * down), left + int((width - side) * right), side, side)
        for down in _SAMPLE_PLACES
        for right in _SAMPLE_PLACES
    )
