"""Outlines as GeoJSON polygons, many at a time: coordinates are nearly all of a file of cells.

A ring of 32 points takes 3 µs this way, a template for its length 15 and `json.dumps` on nested lists more.
Coordinates are rounded to 0.1 exactly as ``"%.1f"`` rounds them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Ring = npt.NDArray[np.float64]
_Words = npt.NDArray[np.uint64]
"""Eight letters each; a letter of zero stands for none and is dropped in the end."""

_PAIR = "[%.1f,%.1f];"
_LIMIT = 9_999_999
"""Coordinates up to which tenths fit into two words."""
_HALF = 10_000
"""Tenths are written as four leading digits and four trailing ones, the last behind the point."""


def polygon_texts(rings: Sequence[Ring]) -> list[bytes | None]:
    """Write rings as GeoJSON polygons.

    Parameters
    ----------
    rings : sequence of ndarray of float64, shape (n, 2)
        Each with its own n; the first point is not repeated.

    Returns
    -------
    list of bytes or None
        None where fewer than three different points are left of a ring, or a coordinate is not finite.

    Examples
    --------
    >>> polygon_texts([np.array([(0.0, 0.25), (10.5, 0.0), (-3.0, 7.0)]), np.empty((0, 2))])
    [b'{"type":"Polygon","coordinates":[[[0.0,0.2],[10.5,0.0],[-3.0,7.0],[0.0,0.2]]]}', None]
    """
    found: list[bytes | None] = [None] * len(rings)
    places = [place for place, ring in enumerate(rings) if len(ring) >= 3]
    if not places:
        return found
    # Every ring ends where it began.
    points = np.concatenate([part for place in places for part in (rings[place], rings[place][:1])])
    # Ten times a float32 is exact in float64, so it rounds to the tenth that the exact value rounds to.
    with np.errstate(over="ignore", invalid="ignore"):
        exact = bool((points.astype(np.float32) == points).all())
    if not exact or not bool((np.abs(points) < _LIMIT).all()):
        return [_polygon(ring) for ring in rings]
    stops = np.cumsum([len(rings[place]) + 1 for place in places])
    starts = np.concatenate([[0], stops[:-1]])
    tenths, negative = np.rint(np.abs(points) * 10).astype(np.int32), np.signbit(points)
    keys = (2 * tenths + negative).astype(np.int64) @ np.array([1 << 32, 1])
    # Three different points are there if one lies between the least and the greatest.
    least, most = (
        np.repeat(extreme.reduceat(keys, starts), stops - starts) for extreme in (np.minimum, np.maximum)
    )
    whole = np.logical_or.reduceat((keys > least) & (keys < most), starts).tolist()
    texts = _texts(tenths, negative, stops - 1)
    for place, text, has_area in zip(places, texts, whole, strict=True):
        if has_area:
            found[place] = b'{"type":"Polygon","coordinates":[[%b]]}' % text
    return found


def _texts(
    tenths: npt.NDArray[np.int32], negative: npt.NDArray[np.bool_], last: npt.NDArray[np.int64]
) -> list[bytes]:
    """Write points, shape (n, 2), as ``[x,y],[x,y]``; each ring ends with its point of `last`."""
    high, low = np.divmod(tenths, np.int32(_HALF))
    words = np.empty((*tenths.shape, 2), np.uint64)
    words[..., 0] = _HIGH[high] | np.where(negative, _letters("\0-"), np.uint64(0))
    words[:, 0, 0] |= _letters("[")
    words[:, 1, 0] |= _letters(",")
    words[..., 1] = _LOW[low + np.int32(_HALF) * (high > 0)]
    words[:, 1, 1] |= _letters("\0" * 5 + "],")
    words[last, 1, 1] ^= _letters("\0" * 6 + ",") ^ _letters("\0" * 6 + ";")
    return words.tobytes().translate(None, b"\0").split(b";")[:-1]


def _letters(text: str) -> np.uint64:
    return np.uint64(np.frombuffer(text.encode("ascii").ljust(8, b"\0"), np.uint64)[0])


def _tables() -> tuple[_Words, _Words]:
    """Words of four leading digits, and of four trailing ones without and with digits before them."""
    numbers = np.arange(_HALF)
    digits = numbers[:, None] // (1000, 100, 10, 1) % 10 + ord("0")
    shown = numbers[:, None] >= (1000, 100, 10, 1)
    high = np.zeros((_HALF, 8), np.uint8)
    high[:, 2:6] = np.where(shown, digits, 0)
    low = np.zeros((2, _HALF, 8), np.uint8)
    low[:, :, [0, 1, 2, 4]], low[:, :, 3] = digits, ord(".")
    low[0, :, :2] *= shown[:, :2]
    return high.view(np.uint64).ravel(), low.view(np.uint64).ravel()


_HIGH, _LOW = _tables()


def _polygon(xy: Ring) -> bytes | None:
    """Write one ring, whatever its numbers."""
    if len(xy) < 3 or not np.isfinite(xy).all():
        return None
    points = (_PAIR * len(xy) % tuple(xy.ravel().tolist())).split(";")[:-1]
    if len(set(points)) < 3:
        return None
    return f'{{"type":"Polygon","coordinates":[[{",".join(points)},{points[0]}]]}}'.encode("ascii")
