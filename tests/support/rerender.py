"""The same slide as another scanner would have delivered it.

Each variant is a pure function of the pixels: the tissue, the stain and the truth stay what they are,
only what lies between the glass and the file changes.  A score that moves under these has measured
the scanner.  Strengths are those that well-kept scanners differ by: white balance and exposure within
15 %, tone curves within 10 %, a colour matrix that mixes up to a tenth of the neighbouring channels,
an extra blur of up to 0.5 µm or a hard unsharp mask, JPEG qualities 60 to 95, pixels of 0.22 to 0.5 µm.

`rerendered(rgb, mpp, VARIANTS["soft"])` gives the pixels and their pixel size.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np
import numpy.typing as npt

Rgb8 = npt.NDArray[np.uint8]
Matrix = tuple[tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]]

IDENTITY: Matrix = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
_WHITEST = 252.0
"""No scanner is set so bright that its glass clips."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """What another scanner does to the light that left the glass, in this order."""

    name: str
    mpp: float | None = None
    """Pixel size in µm; None keeps it."""
    blur_um: float = 0.0
    """Standard deviation of the additional optical blur."""
    matrix: Matrix = IDENTITY
    """Colour matrix on transmitted light; rows sum to 1, so that glass keeps its colour."""
    tone: float = 1.0
    """Exponent of the tone curve on transmitted light: multiplies every optical density."""
    white: tuple[float, float, float] | None = None
    """Blank field, 0 to 255; None keeps the slide's."""
    sharpen: float = 0.0
    """Strength of an unsharp mask of 0.5 µm."""
    jpeg_quality: int | None = None
    """None compresses no second time."""


VARIANTS: Mapping[str, Rendering] = MappingProxyType(
    {
        rendering.name: rendering
        for rendering in (
            Rendering(
                "warm_colours",
                matrix=((0.92, 0.08, 0.0), (0.03, 0.94, 0.03), (0.0, 0.09, 0.91)),
                white=(246.0, 240.0, 229.0),
            ),
            Rendering(
                "vivid_colours",
                matrix=((1.10, -0.08, -0.02), (-0.04, 1.10, -0.06), (0.0, -0.10, 1.10)),
                white=(236.0, 241.0, 248.0),
            ),
            Rendering("dark", white=(213.0, 211.0, 214.0)),
            Rendering("bright", white=(_WHITEST, 251.0, _WHITEST)),
            Rendering("flat_tone", tone=0.90),
            Rendering("steep_tone", tone=1.10),
            Rendering("soft", blur_um=0.5),
            Rendering("sharpened", sharpen=1.0),
            Rendering("jpeg_60", jpeg_quality=60),
            Rendering("jpeg_95", jpeg_quality=95),
            Rendering("fine_pixels", mpp=0.22),
            Rendering("middle_pixels", mpp=0.36),
            Rendering("coarse_pixels", mpp=0.5),
            Rendering(
                "other_scanner",
                mpp=0.34,
                blur_um=0.25,
                matrix=((0.95, 0.05, 0.0), (0.0, 1.04, -0.04), (0.0, 0.05, 0.95)),
                tone=0.95,
                white=(233.0, 238.0, 241.0),
                sharpen=0.4,
                jpeg_quality=75,
            ),
        )
    }
)
"""By name; `coarse_pixels` and the other pixel sizes only mean something on slides finer than they are."""


def rerendered(
    rgb: Rgb8, mpp: float, rendering: Rendering, *, white: tuple[float, float, float] | None = None
) -> tuple[Rgb8, float]:
    """Render a slide as another scanner would.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (M, N, 3)
        The slide; it is not changed.
    mpp : float
        Its pixel size in µm.
    rendering : Rendering
    white : tuple of three floats, optional
        Blank field of `rgb`; without it the 99.5th percentile of each channel is taken, which is
        right for a slide with some glass.

    Returns
    -------
    rgb : ndarray of uint8, shape (M', N', 3)
    mpp : float

    Examples
    --------
    >>> glass = np.full((40, 40, 3), 240, np.uint8)
    >>> dark, mpp = rerendered(glass, 0.25, VARIANTS["dark"])
    >>> dark[0, 0].tolist(), mpp
    ([213, 211, 214], 0.25)
    >>> rerendered(glass, 0.25, VARIANTS["coarse_pixels"])[0].shape
    (20, 20, 3)
    """
    blank = np.asarray(white or np.percentile(rgb[::7, ::7].reshape(-1, 3), 99.5, axis=0), np.float32)
    image = np.asarray(rgb, np.float32)
    if rendering.blur_um:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), rendering.blur_um / mpp), np.float32)
    if rendering.mpp is not None:
        image, mpp = _resampled(image, mpp, rendering.mpp), rendering.mpp
    light = np.clip(_coloured(image / blank, rendering.matrix), 1 / 1024, None)
    if rendering.tone != 1.0:
        light = light ** np.float32(rendering.tone)
    image = light * np.asarray(rendering.white or blank, np.float32)
    if rendering.sharpen:
        soft = cv2.GaussianBlur(image, (0, 0), max(0.5 / mpp, 0.8))
        image = image + np.float32(rendering.sharpen) * (image - soft)
    pixels = np.clip(np.rint(image), 0, 255).astype(np.uint8)
    if rendering.jpeg_quality is not None:
        pixels = _compressed(pixels, rendering.jpeg_quality)
    return pixels, mpp


def _coloured(light: npt.NDArray[np.float32], matrix: Matrix) -> npt.NDArray[np.float32]:
    return np.asarray(cv2.transform(light, np.asarray(matrix, np.float32)), np.float32)


def _resampled(image: npt.NDArray[np.float32], mpp: float, target: float) -> npt.NDArray[np.float32]:
    size = (round(image.shape[1] * mpp / target), round(image.shape[0] * mpp / target))
    how = cv2.INTER_AREA if target > mpp else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, size, interpolation=how), np.float32)


def _compressed(rgb: Rgb8, quality: int) -> Rgb8:
    done, data = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError("the picture could not be compressed as JPEG")
    return np.ascontiguousarray(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)[..., ::-1])
