"""Regions that a pathologist would draw around the tumour of an IHC phantom."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from her2path.imaging.phantoms.ihc_tissue import Labels

Outline = npt.NDArray[np.float64]


def tumour_outlines(labels: Labels, mpp: float, *, margin_um: float = 12.0) -> list[Outline]:
    """Draw generous outlines around the nests.

    Parameters
    ----------
    labels : ndarray of int32, shape (M, N)
        Tumour cells, 0 elsewhere.
    mpp : float
        Pixel size in µm.
    margin_um : float
        How far outside the nests the line runs.

    Returns
    -------
    outlines : list of ndarray of float64, each of shape (k, 2)
        x and y of the corners in level-0 pixels, closed by the first point; outlines never touch
        each other and have no holes, so stroma enclosed by a nest lies inside.

    Examples
    --------
    >>> labels = np.zeros((100, 100), np.int32)
    >>> labels[40:60, 40:60] = 1
    >>> len(tumour_outlines(labels, 0.5))
    1
    """
    reach = round(margin_um / mpp)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    # The edge of the image is no edge of the tumour: lines are drawn on a frame around it and cut off.
    framed = cv2.copyMakeBorder(
        (labels > 0).astype(np.uint8), reach, reach, reach, reach, cv2.BORDER_CONSTANT
    )
    contours, _ = cv2.findContours(cv2.dilate(framed, disc), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    outlines = []
    for contour in sorted(contours, key=lambda c: tuple(c[0, 0])):
        corners = cv2.approxPolyDP(contour, 1.0, closed=True)[:, 0].astype(np.float64) + 0.5 - reach
        if len(corners) >= 3:
            outlines.append(np.concatenate([corners, corners[:1]]))
    return outlines
