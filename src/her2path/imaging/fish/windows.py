"""Windows over a field: cores that touch without overlap, a margin read around each, and a sample."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

_WHOLE_PX = 4096
"""A field of at most this side is one window: what a camera takes."""
_CORE_PX = 3072
_SAMPLE_PX = 1024
"""Side of the windows that the levels of a scan are measured on."""
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

    def owns(self, row: float, col: float) -> bool:
        """Whether a place (image pixels) lies in the core."""
        return self.core_top <= row < self.core_bottom and self.core_left <= col < self.core_right


def is_camera_field(height: int, width: int) -> bool:
    """Whether a camera could have taken an image of this size in one exposure."""
    return max(height, width) <= _WHOLE_PX


def whole_window(height: int, width: int) -> Window:
    """One window over a whole image."""
    return _window(0, 0, height, width)


def windows_in(core: Window, *, height: int, width: int, margin: int) -> Iterator[Window]:
    """Cut a field of an image into windows whose cores fill it, with a margin around where there is one.

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
    for part in windows_of(rows, cols, margin=0):
        top, left = core.core_top + part.core_top, core.core_left + part.core_left
        bottom, right = core.core_top + part.core_bottom, core.core_left + part.core_right
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


def windows_of(height: int, width: int, *, margin: int) -> Iterator[Window]:
    """Cut an image into windows in reading order; one window if a camera could have taken it.

    Parameters
    ----------
    height, width : int
        Size of the image in pixels.
    margin : int
        Pixels read around a core, so that nothing the core owns is cut.

    Examples
    --------
    >>> [w.right for w in windows_of(100, 5000, margin=64)]
    [3136, 5000]
    """
    if is_camera_field(height, width):
        yield _window(0, 0, height, width)
        return
    for top in range(0, height, _CORE_PX):
        for left in range(0, width, _CORE_PX):
            bottom, right = min(top + _CORE_PX, height), min(left + _CORE_PX, width)
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


def sample_of(height: int, width: int) -> tuple[Window, ...]:
    """Choose windows that levels are measured on: all of a camera's field, nine of a scan.

    Parameters
    ----------
    height, width : int
        Size of the image in pixels.

    Examples
    --------
    >>> len(sample_of(2048, 2048)), len(sample_of(20000, 30000))
    (1, 9)
    """
    if is_camera_field(height, width):
        return (_window(0, 0, height, width),)
    side = _SAMPLE_PX
    if min(height, width) < side:
        return (_window(0, 0, min(height, _WHOLE_PX), min(width, _WHOLE_PX)),)
    corners = [
        (int((height - side) * down), int((width - side) * right))
        for down in _SAMPLE_PLACES
        for right in _SAMPLE_PLACES
    ]
    return tuple(_window(top, left, side, side) for top, left in corners)


def _window(top: int, left: int, height: int, width: int) -> Window:
    """Build a window without a margin."""
    bottom, right = top + height, left + width
    return Window(top, left, bottom, right, top, left, bottom, right)
