"""Closed outlines as radii along rays from a centre, and the best outline in a cost image.

An outline is `ANGLES` radii around a centre.  The outline of lowest cost is found exactly by
dynamic programming over the angles for thousands of objects at once.  Each outline depends on
the pixels within its longest ray and on nothing else, so cutting a slide into tiles cannot
change it.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Coordinates = npt.NDArray[np.float64]

ANGLES = 32
"""Rays per outline: 2 µm apart on the contour of a cell of 20 µm."""
_THETA = np.arange(ANGLES) * (2 * np.pi / ANGLES)
COS = np.cos(_THETA)
SIN = np.sin(_THETA)
AT_ONCE = 512
"""Objects whose rays are looked at together."""
_MAX_ROWS = 30_000
"""cv2.remap takes fewer than 32768 rows at once."""


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
    image : ndarray, shape (M, N) or (M, N, C)
    x, y : ndarray of float64, shape (n,)
        Centres; the middle of a pixel has whole coordinates.
    radii_px : ndarray of float32, shape (R,)
        Distances from the centre.
    nearest : bool
        Take the nearest pixel (labels) instead of interpolating.

    Returns
    -------
    samples : ndarray of float32, shape (n, ANGLES, R) or (n, ANGLES, R, C)
        Beyond the edge of the image its outermost pixels go on.
    """
    # OpenCV interpolates between 32nds of a pixel; offsets on that grid make samples independent of
    # the place of the tile, as long as centres lie on it, too.
    # Halfway between two pixels the nearest one depends on the tile, too: stay off the half.
    aside = 1 / 64 if nearest else 0.0
    # Multiples of 1/64 below 2**17 are exact in float32, and so are their sums.
    across, down = (
        (np.rint(part[:, None] * radii_px * 32) / 32 + aside).astype(np.float32) for part in (COS, SIN)
    )
    columns = x.astype(np.float32)[:, None, None] + across
    rows = y.astype(np.float32)[:, None, None] + down
    shape = columns.shape
    columns, rows = columns.reshape(-1, shape[2]), rows.reshape(-1, shape[2])
    how = cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR
    samples = [
        cv2.remap(image, columns[part], rows[part], how, borderMode=cv2.BORDER_REPLICATE)
        for part in parts_of(len(columns), _MAX_ROWS)
    ]
    found = samples[0] if len(samples) == 1 else np.concatenate(samples or [np.empty((0, shape[2]))])
    return np.asarray(found, np.float32).reshape(*shape, *image.shape[2:])


def parts_of(n: int, size: int) -> Iterator[slice]:
    """Cut a row of n objects into parts of a size.

    Arrays of (objects, ANGLES, radii) of a few hundred objects stay in the processor's cache, which makes
    every pass over them several times as fast as over those of all objects at once.
    """
    return (slice(start, start + size) for start in range(0, n, size))


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
    turns, rim = angles + angles // 2, len(prices)
    # Out of reach on both sides, so that the way back needs no look at the ends.
    reached = np.full((turns, n, length + 2 * rim), np.inf, np.float32)
    inner = reached[:, :, rim : length + rim]
    inner[0] = cost[:, 0]
    dearer = np.empty((n, length), np.float32)
    for turn in range(1, turns):
        before, best = inner[turn - 1], inner[turn]
        np.copyto(best, before)
        for step, price in enumerate(prices, start=1):
            np.add(before, np.float32(price), out=dearer)
            np.minimum(best[:, step:], dearer[:, :-step], out=best[:, step:])
            np.minimum(best[:, :-step], dearer[:, step:], out=best[:, :-step])
        best += cost[:, turn % angles]
    return _trace(reached, prices, angles)


def _trace(reached: Floats, prices: tuple[float, ...], angles: int) -> npt.NDArray[np.intp]:
    """Walk back from the cheapest end; the way is found again from the prices that were reached."""
    turns, n, _ = reached.shape
    index = np.empty((n, angles), np.intp)
    rim = len(prices)
    moves = np.array([0, *(sign * k for k in range(1, rim + 1) for sign in (-1, 1))])
    price = np.array([0.0, *np.repeat(prices, 2)], np.float32)
    place = reached[-1].argmin(axis=1)
    for turn in range(turns - 1, angles // 2 - 1, -1):
        index[:, turn % angles] = place - rim
        ways = np.take_along_axis(reached[turn - 1], place[:, None] + moves, axis=1) + price
        place = place + moves[ways.argmin(axis=1)]
    return index


def highest_so_far(samples: Floats) -> Floats:
    """Take the running maximum along the last axis, in the fewest passes over memory."""
    highest = samples.copy()
    step = 1
    while step < samples.shape[-1]:
        earlier = highest[..., :-step].copy()
        np.maximum(highest[..., step:], earlier, out=highest[..., step:])
        step *= 2
    return highest


def at(samples: Floats, index: npt.NDArray[np.intp]) -> Floats:
    """Take one sample per ray: (n, ANGLES, R) and (n, ANGLES) give (n, ANGLES)."""
    return np.asarray(np.take_along_axis(samples, index[..., None], axis=2)[..., 0], np.float32)


def within(samples: Floats, weight: Floats) -> Floats:
    """Weighted sums over the rays of each object: two arrays (n, ANGLES, R) give (n,)."""
    return np.asarray(np.einsum("nar,nar->n", samples, weight), np.float32)


def ring_area(radii: Floats) -> Floats:
    """Area within outlines, (n, ANGLES) to (n,), in the square of their unit.

    Examples
    --------
    >>> round(float(ring_area(np.full((1, ANGLES), 10.0, np.float32))[0]), 1)
    312.1
    """
    area = 0.5 * np.sin(2 * np.pi / ANGLES) * (radii * np.roll(radii, -1, axis=1)).sum(axis=1)
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
    total = weight.sum(axis=1)
    reach = 2 / 3 * weight * radii
    return x + (reach * COS).sum(axis=1) / total, y + (reach * SIN).sum(axis=1) / total


def ring_elongation(radii: Floats) -> Floats:
    """Longest over shortest width of outlines, >= 1, from their second moments."""
    r4 = radii.astype(np.float64) ** 4
    xx, yy, xy = ((r4 * f).sum(axis=1) for f in (COS * COS, SIN * SIN, COS * SIN))
    spread = np.sqrt((xx - yy) ** 2 + 4 * xy**2)
    return np.asarray(np.sqrt((xx + yy + spread) / np.maximum(xx + yy - spread, 1e-9)), np.float32)
