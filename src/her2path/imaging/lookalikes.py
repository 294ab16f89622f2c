"""Pictures that show the same tissue: compressed again, turned, mirrored, out of focus, cut elsewhere.

Corners in the picture are described by 256 binary comparisons each, turned to the corner's own
direction (ORB [1]_).  Pictures that share many of these are found through tables of some of the bits
[2]_ without comparing every pair; then one rigid movement must explain the shared corners, and
the pixels must agree where both pictures lie over each other.  That last test makes a false alarm
most unlikely.  What cannot be told: places without structure (blank glass), neighbouring fields that do not
overlap, another section of the same block, another stain.

References
----------
.. [1] Rublee et al., ORB: an efficient alternative to SIFT or SURF, ICCV 2011, p. 2564.
.. [2] Indyk & Motwani, Approximate nearest neighbors, STOC 1998, p. 604 (locality-sensitive hashing).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

CORNERS = 700
"""Most corners of one picture, at full size and at half of it."""
_LEAST_CORNERS = 12
"""Fewer, and a picture has no structure to compare."""
_PATCH = 31
_TABLES = 24
_BYTES = 7
"""Bytes of a descriptor (of 32) that must be the same in one of the tables: with fewer, any two
pictures of tissue share some."""
_CROWDED = 48
"""Entries of a table that share their bits beyond which they tell nothing."""
_LEAST_SHARED = 4
"""Entries that two pictures share, over all tables, from which a pair is looked at closely."""
_LEAST_ALIKE = 10
"""Corners that one movement must explain."""
_NEAR_PX = 3.0
_SCALE = (0.9, 1.1)
"""All pictures come at the same pixel size, so that another scale is another tissue."""
_SHRUNK = 4
_CORRELATED = 0.5
"""Correlation of fine detail (2 to 10 µm) over the overlap, which for other tissue is about 0."""

Rgb = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class _Corners:
    points: npt.NDArray[np.float32]
    """Shape (n, 2), x first."""
    descriptors: npt.NDArray[np.uint8]
    """Shape (n, 32)."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What of a picture is kept for comparing it; 90 kB for one of 512 x 512 pixels."""

    size: tuple[int, int]
    """Width and height."""
    plain: _Corners
    mirrored: _Corners
    """Those of the picture with left and right exchanged."""
    detail: npt.NDArray[np.int8]
    """Local contrast on a grid of `_SHRUNK` pixels."""

    @property
    def has_structure(self) -> bool:
        """Whether there is anything to compare."""
        return len(self.plain.points) >= _LEAST_CORNERS


@dataclass(frozen=True, slots=True)
class Lookalike:
    """Two pictures that show the same tissue, by their places in a sequence."""

    one: int
    other: int
    overlap: float
    """Share of the smaller one that both show, 0 to 1."""
    turned_deg: float
    """How far the other is turned, in degrees, after mirroring it where it is mirrored; -180 to 180."""
    mirrored: bool


def fingerprint(rgb: Rgb) -> Fingerprint:
    """Take the fingerprint of a picture.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (M, N, 3)
        At the same pixel size for all pictures, about 0.5 µm.
    """
    grey = _even(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY))
    small = cv2.resize(
        grey,
        (max(grey.shape[1] // _SHRUNK, 1), max(grey.shape[0] // _SHRUNK, 1)),
        interpolation=cv2.INTER_AREA,
    )
    return Fingerprint(
        size=(grey.shape[1], grey.shape[0]),
        plain=_corners(grey),
        mirrored=_corners(np.ascontiguousarray(grey[:, ::-1])),
        detail=(small.astype(np.int16) - 128).astype(np.int8),
    )


def _even(grey: npt.NDArray[np.uint8] | cv2.typing.MatLike) -> npt.NDArray[np.uint8]:
    """Even out light and contrast: 128 is the local mean, and one local deviation is 40 grey levels."""
    image = cv2.GaussianBlur(np.asarray(grey, np.float32), (0, 0), 1.0)
    mean = cv2.GaussianBlur(image, (0, 0), 16.0)
    spread = np.sqrt(np.maximum(cv2.GaussianBlur((image - mean) ** 2, (0, 0), 16.0), 0))
    # Three grey levels more: noise and traces of compression on blank glass stay small.
    return np.asarray(np.clip(128 + 40 * (image - mean) / (spread + 3), 0, 255), np.uint8)


def _corners(grey: npt.NDArray[np.uint8]) -> _Corners:
    # All pictures have the same pixel size; the coarser scale outlives a loss of focus.
    orb = cv2.ORB.create(
        nfeatures=CORNERS,
        nlevels=2,
        scaleFactor=2.0,
        edgeThreshold=_PATCH // 2 + 1,
        patchSize=_PATCH,
        fastThreshold=12,
    )
    points, descriptors = orb.detectAndCompute(grey, None)
    if descriptors is None:
        return _Corners(np.empty((0, 2), np.float32), np.empty((0, 32), np.uint8))
    return _Corners(np.array([point.pt for point in points], np.float32), np.asarray(descriptors, np.uint8))


def find_lookalikes(prints: Sequence[Fingerprint]) -> list[Lookalike]:
    """Find all pairs that show the same tissue.

    Parameters
    ----------
    prints : sequence of Fingerprint

    Returns
    -------
    list of Lookalike
        Sorted, `one` before `other`.
    """
    found: dict[tuple[int, int], Lookalike] = {}
    for one, other, mirrored in _candidates(prints):
        match = _same_tissue(prints[one], prints[other], mirrored=mirrored)
        if match is not None and (one, other) not in found:
            found[one, other] = Lookalike(one, other, *match, mirrored)
    return [found[pair] for pair in sorted(found)]


def _candidates(prints: Sequence[Fingerprint]) -> Iterator[tuple[int, int, bool]]:
    """Give pairs that share corners, and whether one of them is mirrored."""
    sides = [[one.plain, one.mirrored] for one in prints]
    owner = np.concatenate(
        [np.empty(0, np.int64)]
        + [
            np.full(len(side.points), 2 * number + flip, np.int64)
            for number, pair in enumerate(sides)
            for flip, side in enumerate(pair)
        ]
    )
    if not len(owner):
        return
    descriptors = np.concatenate([side.descriptors for pair in sides for side in pair])
    shared: list[npt.NDArray[np.int64]] = []
    rng = np.random.default_rng(0)
    for _ in range(_TABLES):
        keys = np.zeros((len(descriptors), 8), np.uint8)
        keys[:, :_BYTES] = descriptors[:, rng.choice(descriptors.shape[1], _BYTES, replace=False)]
        shared.append(_pairs(keys.view(np.int64)[:, 0], owner, 2 * len(prints)))
    pairs, votes = np.unique(np.concatenate(shared), return_counts=True)
    for pair in pairs[votes >= _LEAST_SHARED].tolist():
        one, other = divmod(pair, 2 * len(prints))
        yield one // 2, other // 2, bool(other % 2)


def _pairs(keys: npt.NDArray[np.int64], owner: npt.NDArray[np.int64], base: int) -> npt.NDArray[np.int64]:
    """Give each pair of owners under the same key as ``one * base + other``, once for each shared corner."""
    order = np.argsort(keys, kind="stable")
    keys, owner = keys[order], owner[order]
    starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
    lengths = np.diff(np.r_[starts, len(keys)])
    found = [np.empty(0, np.int64)]
    for length in range(2, min(int(lengths.max()), _CROWDED) + 1):
        rows = starts[lengths == length]
        if not len(rows):
            continue
        group = owner[rows[:, None] + np.arange(length)]
        first, second = np.triu_indices(length, 1)
        one, other = np.sort(np.stack([group[:, first].ravel(), group[:, second].ravel()]), axis=0)
        # A mirrored picture is compared with plain ones only; it stands second.
        swap = (one % 2 == 1) & (other % 2 == 0)
        one[swap], other[swap] = one[swap] - 1, other[swap] + 1
        keep = (one // 2 != other // 2) & (one % 2 == 0)
        found.append(one[keep] * base + other[keep])
    return np.concatenate(found)


def _same_tissue(one: Fingerprint, other: Fingerprint, *, mirrored: bool) -> tuple[float, float] | None:
    """Compare two pictures closely; give overlap and angle, or None where they show different tissue."""
    side = other.mirrored if mirrored else other.plain
    matches = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(side.descriptors, one.plain.descriptors)
    if len(matches) < _LEAST_ALIKE:
        return None
    source = side.points[[match.queryIdx for match in matches]]
    target = one.plain.points[[match.trainIdx for match in matches]]
    cv2.setRNGSeed(0)  # the same pictures give the same answer
    moved, alike = cv2.estimateAffinePartial2D(source, target, ransacReprojThreshold=_NEAR_PX, maxIters=3000)
    if moved is None or int(alike.sum()) < _LEAST_ALIKE:
        return None
    scale = math.hypot(moved[0, 0], moved[1, 0])
    if not _SCALE[0] <= scale <= _SCALE[1]:
        return None
    overlap, correlation = _laid_over(one, other, moved, mirrored=mirrored)
    if correlation < _CORRELATED:
        return None
    return round(overlap, 3), round(math.degrees(math.atan2(moved[1, 0], moved[0, 0])), 1)


def _laid_over(
    one: Fingerprint,
    other: Fingerprint,
    moved: npt.NDArray[np.float64] | cv2.typing.MatLike,
    *,
    mirrored: bool,
) -> tuple[float, float]:
    """Lay the other over the one; give the share of the smaller that both show, and their correlation."""
    below = one.detail.astype(np.float32)
    above = other.detail[:, ::-1] if mirrored else other.detail
    small = np.array(moved, np.float64)
    # Middles of pixels of the shrunk grid lie half of one pixel off those of the full grid.
    half = (_SHRUNK - 1) / 2
    small[:, 2] = (small[:, :2] @ np.array([half, half]) + small[:, 2] - half) / _SHRUNK
    size = (below.shape[1], below.shape[0])
    laid = cv2.warpAffine(above.astype(np.float32), small, size)
    both = cv2.warpAffine(np.ones(above.shape, np.float32), small, size) > 0.99
    area = int(both.sum())
    if area < _LEAST_CORNERS:
        return 0.0, 0.0
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = float(np.corrcoef(below[both], np.asarray(laid)[both])[0, 1])
    smaller = min(below.size, above.size)
    return min(area / smaller, 1.0), correlation if math.isfinite(correlation) else 0.0
