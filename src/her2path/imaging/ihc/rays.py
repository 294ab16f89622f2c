"""Closed outlines as radii along rays from a centre, and the best outline in a cost image.

An outline is `ANGLES` radii around a centre.  The outline of lowest cost is found exactly by
dynamic programming over the angles for hundreds of objects at once.  Each outline depends on
the pixels within its longest ray and on nothing else, so cutting a slide into tiles cannot
change it.

Samples have the shape (n, ANGLES, R) and lie in memory with the objects innermost: then every
step along the rays is one pass over neighbouring numbers, several times as fast as passes over the
few samples of each ray.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Coordinates = npt.NDArray[np.float64]
_Number = TypeVar("_Number", np.float32, np.bool_)
_Limit = TypeVar("_Limit", np.float32, np.int8)
_Float = TypeVar("_Float", np.float32, np.float64)

ANGLES = 32
"""Rays per outline: 2 µm apart on the contour of a cell of 20 µm."""
_THETA = np.arange(ANGLES) * (2 * np.pi / ANGLES)
COS = np.cos(_THETA)
SIN = np.sin(_THETA)
AT_ONCE = 256
"""Objects whose rays are looked at together."""
_MOST = 30_000
"""cv2.remap takes fewer than 32768 columns at once."""


@dataclass(frozen=True, slots=True)
class RayPoints:
    """Points along the rays of n centres, for one or more images."""

    columns: Floats
    """Shape (ANGLES * R, n)."""
    rows: Floats

    @classmethod
    def around(cls, x: Coordinates, y: Coordinates, radii_px: Floats) -> RayPoints:
        """Place points.

        Parameters
        ----------
        x, y : ndarray of float64, shape (n,)
            Centres; the middle of a pixel has whole coordinates.
        radii_px : ndarray of float32, shape (R,)
            Distances from the centre.
        """
        # OpenCV interpolates between 32nds of a pixel; offsets on that grid make samples independent of
        # the place of the tile, as long as centres lie on it, too.  Multiples of 1/32 below 2**18 are
        # exact in float32, and so are their sums.
        across, down = (
            (np.rint(part[:, None] * radii_px * 32) / 32).astype(np.float32).reshape(-1, 1)
            for part in (COS, SIN)
        )
        return cls(x.astype(np.float32) + across, y.astype(np.float32) + down)

    def read(
        self, image: npt.NDArray[np.float32] | npt.NDArray[np.uint8], *, nearest: bool = False
    ) -> Floats:
        """Read an image, shape (M, N); give samples, shape (n, ANGLES, R).  See `sample_rays`."""
        columns, rows, how = self.columns, self.rows, cv2.INTER_LINEAR
        if nearest:
            # Halfway between two pixels the nearest one depends on the tile, too: stay off the half.
            columns, rows = (part + np.float32(1 / 64) for part in (columns, rows))
            how = cv2.INTER_NEAREST
        length, n = columns.shape
        samples = np.empty((length, n), image.dtype)
        for part in parts_of(n, _MOST):
            cv2.remap(image, columns[:, part], rows[:, part], how, samples[:, part], cv2.BORDER_REPLICATE)
        read = samples.astype(np.float32, copy=False)
        return read.reshape(ANGLES, length // ANGLES, n).transpose(2, 0, 1)


def sample_rays(
    image: npt.NDArray[np.float32] | npt.NDArray[np.uint8],
    x: Coordinates,
    y: Coordinates,
    radii_px: Floats,
    *,
    nearest: bool = False,
) -> Floats:
    """Read an image along the rays of many centres.

    Parameters
    ----------
    image : ndarray, shape (M, N)
    x, y : ndarray of float64, shape (n,)
        Centres; the middle of a pixel has whole coordinates.
    radii_px : ndarray of float32, shape (R,)
        Distances from the centre.
    nearest : bool
        Take the nearest pixel (labels) instead of interpolating.

    Returns
    -------
    samples : ndarray of float32, shape (n, ANGLES, R)
        Beyond the edge of the image its outermost pixels go on.
    """
    return RayPoints.around(x, y, radii_px).read(image, nearest=nearest)


def parts_of(n: int, size: int) -> Iterator[slice]:
    """Cut a row of n objects into parts of a size.

    Arrays of (objects, ANGLES, radii) of a few hundred objects stay in the processor's cache, which makes
    every pass over them several times as fast as over those of all objects at once.
    """
    return (slice(start, start + size) for start in range(0, n, size))


def objects_last(samples: npt.NDArray[_Number]) -> npt.NDArray[_Number]:
    """Turn (n, ANGLES, R) into (ANGLES, R, n), without a copy where the objects are innermost in memory."""
    turned = samples.transpose(1, 2, 0)
    return turned if turned.strides[2] == turned.itemsize else np.ascontiguousarray(turned)


def is_before(limits: npt.NDArray[_Limit], places: npt.NDArray[_Limit]) -> npt.NDArray[np.bool_]:
    """Tell of every place along each ray, shape (R,), whether it lies before a limit, shape (n, ANGLES).

    Places and limits are best held in few bytes: to compare them is a good part of the work.
    """
    return np.less(places[:, None], np.ascontiguousarray(limits.T)[:, None]).transpose(2, 0, 1)


def is_beyond(limits: npt.NDArray[_Limit], places: npt.NDArray[_Limit]) -> npt.NDArray[np.bool_]:
    """Tell the same of lying beyond it."""
    return np.greater(places[:, None], np.ascontiguousarray(limits.T)[:, None]).transpose(2, 0, 1)


def closed_paths(cost: Floats, *, prices: tuple[float, ...]) -> npt.NDArray[np.intp]:
    """Find the cheapest closed outline of each object.

    Neighbouring radii differ by at most as many steps as there are `prices`.  The paths run one and a
    half times around, and the first half turn is dropped: by then the object itself decides where the
    outline runs.

    Parameters
    ----------
    cost : ndarray of float32, shape (n, ANGLES, R)
    prices : tuple of floats
        Price of a change by one, two ... steps between neighbouring rays.

    Returns
    -------
    index : ndarray of int, shape (n, ANGLES)
        Chosen place along each ray, 0 to R - 1.
    """
    n, angles, length = cost.shape
    if n == 0:
        return np.zeros((0, angles), np.intp)
    every = objects_last(cost)
    turns, rim = angles + angles // 2, len(prices)
    # Out of reach on both sides, so that the way back needs no look at the ends.
    reached = np.empty((turns, length + 2 * rim, n), np.float32)
    reached[:, :rim] = reached[:, length + rim :] = np.inf
    inner = reached[:, rim : length + rim]
    inner[0] = every[0]
    dearer = np.empty((length, n), np.float32)
    for turn in range(1, turns):
        before, best = reached[turn - 1], inner[turn]
        np.copyto(best, inner[turn - 1])
        for step, price in enumerate(prices, start=1):
            low, high = rim - step, rim + step
            np.minimum(before[low : low + length], before[high : high + length], out=dearer)
            np.add(dearer, np.float32(price), out=dearer)
            np.minimum(best, dearer, out=best)
        best += every[turn % angles]
    return _trace(reached, prices, angles)


def _trace(reached: Floats, prices: tuple[float, ...], angles: int) -> npt.NDArray[np.intp]:
    """Walk back from the cheapest end; the way is found again from the prices that were reached."""
    turns, _, n = reached.shape
    index = np.empty((angles, n), np.intp)
    rim = len(prices)
    moves = np.array([0, *(sign * k for k in range(1, rim + 1) for sign in (-1, 1))])
    price = np.array([0.0, *np.repeat(prices, 2)], np.float32)[:, None]
    flat, objects = reached.reshape(turns, -1), np.arange(n)
    place = reached[-1].argmin(axis=0)
    for turn in range(turns - 1, angles // 2 - 1, -1):
        index[turn % angles] = place - rim
        ways = flat[turn - 1].take((place + moves[:, None]) * n + objects) + price
        place = place + moves[ways.argmin(axis=0)]
    return index.T


def highest_so_far(samples: Floats) -> Floats:
    """Take the running maximum along the rays."""
    return _running(np.maximum, samples)


def lowest_so_far(samples: Floats) -> Floats:
    """Take the running minimum along the rays."""
    return _running(np.minimum, samples)


def _running(extreme: np.ufunc, samples: Floats) -> Floats:
    given = objects_last(samples)
    found = np.empty(given.shape, np.float32)
    found[:, 0] = given[:, 0]
    for step in range(1, given.shape[1]):
        extreme(given[:, step], found[:, step - 1], out=found[:, step])
    return found.transpose(2, 0, 1)


def extended(samples: npt.NDArray[_Number], before: int, after: int) -> npt.NDArray[_Number]:
    """Repeat the first and the last sample of each ray: R becomes before + R + after."""
    given = objects_last(samples)
    angles, length, n = given.shape
    wide = np.empty((angles, before + length + after, n), given.dtype)
    wide[:, :before] = given[:, :1]
    wide[:, before : before + length] = given
    wide[:, before + length :] = given[:, -1:]
    return wide.transpose(2, 0, 1)


def first_places(chosen: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """Place of the first chosen sample of each ray, R where none is: (n, ANGLES, R) gives (n, ANGLES)."""
    seen = objects_last(chosen).copy()
    for step in range(1, seen.shape[1]):
        np.logical_or(seen[:, step], seen[:, step - 1], out=seen[:, step])
    # Bytes suffice: rays have fewer than 255 samples.
    count = np.add.reduce(seen.view(np.uint8), axis=1, dtype=np.uint8)
    return np.asarray(seen.shape[1] - count.astype(np.intp), np.intp).T


def at(samples: Floats, index: npt.NDArray[np.intp]) -> Floats:
    """Take one sample per ray: (n, ANGLES, R) and (n, ANGLES) give (n, ANGLES)."""
    given = objects_last(samples)
    angles, length, n = given.shape
    place = (index.T + np.arange(angles)[:, None] * length) * n + np.arange(n)
    return np.asarray(given.reshape(-1).take(place), np.float32).T


def around(samples: Floats, index: npt.NDArray[np.intp], reach: int) -> Floats:
    """Take the samples on both sides of one of each ray; beyond the ends the outermost ones go on.

    (n, ANGLES, R) and (n, ANGLES) give (n, ANGLES, 2 * reach + 1).
    """
    given = objects_last(samples)
    angles, length, n = given.shape
    place = index.T[:, None] + np.arange(-reach, reach + 1)[:, None]
    np.clip(place, 0, length - 1, out=place)
    place *= n
    place += (np.arange(angles) * (length * n))[:, None, None] + np.arange(n)
    return np.asarray(given.reshape(-1).take(place), np.float32).transpose(2, 0, 1)


def within(samples: Floats, weight: Floats) -> Floats:
    """Weighted sums over the rays of each object: two arrays (n, ANGLES, R) give (n,)."""
    one, other = _pair(samples, weight)
    return np.asarray(np.einsum("arn,arn->n", one, other), np.float32)[: len(samples)]


def total(samples: Floats) -> Floats:
    """Sum over the rays of each object: (n, ANGLES, R) gives (n,)."""
    one, _ = _pair(samples, samples)
    return np.asarray(np.add.reduce(one, axis=(0, 1)), np.float32)[: len(samples)]


def along(samples: Floats, weight: Floats) -> Floats:
    """Weighted sums along each ray: two arrays (n, ANGLES, R) give (n, ANGLES)."""
    one, other = _pair(samples, weight)
    return np.asarray(np.einsum("arn,arn->an", one, other), np.float32)[:, : len(samples)].T


def over_rays(samples: Floats, weight: Floats) -> Floats:
    """Weighted sums over the rays, place by place: (n, ANGLES, R) and (n, ANGLES) give (n, R)."""
    one, other = _pair(samples, weight[..., None])
    return np.asarray(np.einsum("arn,an->rn", one, other[:, 0]), np.float32)[:, : len(samples)].T


def summed(values: npt.NDArray[_Float]) -> npt.NDArray[_Float]:
    """Sum over the rays of each object: (n, ANGLES) gives (n,), the same however memory is laid out."""
    return np.asarray(np.ascontiguousarray(values).sum(axis=1))


def _pair(samples: Floats, weight: Floats) -> tuple[Floats, Floats]:
    one, other = objects_last(samples), objects_last(weight)
    if len(samples) == 1:
        # The numbers of one object would be added up in another order than those of several.
        one, other = np.repeat(one, 2, axis=2), np.repeat(other, 2, axis=2)
    return one, other


def ring_area(radii: Floats) -> Floats:
    """Area within outlines, (n, ANGLES) to (n,), in the square of their unit.

    Examples
    --------
    >>> round(float(ring_area(np.full((1, ANGLES), 10.0, np.float32))[0]), 1)
    312.1
    """
    area = 0.5 * np.sin(2 * np.pi / ANGLES) * summed(radii * np.roll(radii, -1, axis=1))
    return np.asarray(area, np.float32)


def ring_points(x: Coordinates, y: Coordinates, radii: Floats) -> Coordinates:
    """Corners of outlines, shape (n, ANGLES, 2) with x first, in the unit of the radii."""
    return np.stack([x[:, None] + radii * COS, y[:, None] + radii * SIN], axis=-1)


def ring_lengths(radii: Floats) -> Floats:
    """Length of contour that each ray stands for, shape (n, ANGLES): half of both neighbouring sides."""
    points = ring_points(np.zeros(len(radii)), np.zeros(len(radii)), radii)
    sides = np.linalg.norm(np.roll(points, -1, axis=1) - points, axis=-1)
    return np.asarray((sides + np.roll(sides, 1, axis=1)) / 2, np.float32)


def ring_centroids(x: Coordinates, y: Coordinates, radii: Floats) -> tuple[Coordinates, Coordinates]:
    """Centres of gravity of outlines."""
    weight = radii.astype(np.float64) ** 2
    total = summed(weight)
    reach = 2 / 3 * weight * radii
    return x + summed(reach * COS) / total, y + summed(reach * SIN) / total


def ring_elongation(radii: Floats) -> Floats:
    """Longest over shortest width of outlines, >= 1, from their second moments."""
    r4 = radii.astype(np.float64) ** 4
    xx, yy, xy = (summed(r4 * f) for f in (COS * COS, SIN * SIN, COS * SIN))
    spread = np.sqrt((xx - yy) ** 2 + 4 * xy**2)
    return np.asarray(np.sqrt((xx + yy + spread) / np.maximum(xx + yy - spread, 1e-9)), np.float32)
