"""QuPath's published cell detection and intensity classes, restated from its description.

Optical densities with QuPath's default H-DAB vectors and a white of 255; on hematoxylin at 0.5 µm:
background by opening by reconstruction (radius 8 µm), Gaussian blur (1.5 µm), the Laplacian's
positive part parted by a watershed, regions of 10 to 400 µm2 whose mean is above 0.1, touching nuclei
parted once more by their shape; cells by expansion of 5 µm.  A cell is negative, 1+, 2+ or 3+ by
its mean DAB on the cell's border against 0.2, 0.4 and 0.6.  There is no completeness; the classes are
read as weak incomplete, moderate complete and strong complete.  This is a restatement in Python of
what the program's documentation and source describe, not QuPath; all settings are its defaults.
The tumour is outlined for this method as a person would.

References
----------
.. [1] Bankhead et al., Sci Rep 7:16878 (2017).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.feature import peak_local_max
from skimage.morphology import disk, reconstruction
from skimage.segmentation import expand_labels, find_boundaries, watershed

from her2path.domain.ihc import Intensity, Pattern, staining_class
from her2path.imaging.phantoms.ihc import IhcPhantom
from tests.validation.ihc.comparators.given import Floats, in_regions, pixels_of
from tests.validation.ihc.reading import Reading, score_of

WORKING_MPP = 0.5
HEMATOXYLIN = (0.65111, 0.70119, 0.29049)
DAB = (0.26917, 0.56824, 0.77759)
WHITE = 255.0
BACKGROUND_UM = 8.0
SIGMA_UM = 1.5
AREA_UM2 = (10.0, 400.0)
THRESHOLD_OD = 0.1
EXPANSION_UM = 5.0
CUTS_OD = (0.2, 0.4, 0.6)
CLASSES = (
    (Intensity.NONE, Pattern.NONE),
    (Intensity.WEAK, Pattern.INCOMPLETE),
    (Intensity.MODERATE, Pattern.COMPLETE),
    (Intensity.STRONG, Pattern.COMPLETE),
)
Labels = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class FixedExpansion:
    """The method as a column of the table."""

    name: str = "QuPath's method"

    def read(self, slide: Path, phantom: IhcPhantom, folder: Path, **sheet: object) -> Reading:
        """Read a slide."""
        del folder, sheet
        started = time.perf_counter()
        rgb, factor = pixels_of(slide, WORKING_MPP, phantom.spec.mpp)
        hematoxylin, dab = _stains(rgb)
        nuclei = detect(hematoxylin)
        cells = expand_labels(nuclei, EXPANSION_UM / WORKING_MPP)
        border = find_boundaries(cells, mode="inner")
        n = int(nuclei.max())
        od = np.array(ndimage.mean(dab, np.where(border, cells, 0), np.arange(1, n + 1)))
        centres = np.array(ndimage.center_of_mass(nuclei > 0, nuclei, np.arange(1, n + 1)))
        seconds = time.perf_counter() - started
        xy = (centres.reshape(-1, 2)[:, ::-1] + 0.5) * factor
        chosen = in_regions(xy, phantom)
        stainings = [CLASSES[int(np.searchsorted(CUTS_OD, value, side="right"))] for value in od[chosen]]
        return Reading(
            x_px0=xy[chosen, 0],
            y_px0=xy[chosen, 1],
            completeness=np.full(int(chosen.sum()), np.nan),
            classes=tuple(staining_class(*staining) for staining in stainings),
            score=score_of(stainings),
            seconds=seconds,
        )


def _stains(rgb: npt.NDArray[np.uint8]) -> tuple[Floats, Floats]:
    od = -np.log10(np.maximum(rgb.astype(np.float64), 1) / WHITE)
    residual = np.cross(HEMATOXYLIN, DAB)
    matrix = np.array([HEMATOXYLIN, DAB, residual / np.linalg.norm(residual)])
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    amounts = od @ np.linalg.inv(matrix)
    return amounts[..., 0], amounts[..., 1]


def detect(hematoxylin: Floats) -> Labels:
    """Find nuclei; labels from 1, int32, shape (M, N)."""
    radius = round(BACKGROUND_UM / WORKING_MPP)
    eroded = cv2.erode(hematoxylin, disk(radius))
    flat = hematoxylin - reconstruction(eroded, hematoxylin, method="dilation")
    blobs = -ndimage.laplace(ndimage.gaussian_filter(flat, SIGMA_UM / WORKING_MPP))
    mask = blobs > 0
    peaks = (ndimage.maximum_filter(blobs, 3) == blobs) & mask
    seeds, _ = ndimage.label(peaks)
    regions = watershed(-blobs, seeds, mask=mask, watershed_line=True)
    kept = _chosen(regions, flat, area=(0.0, np.inf))
    return _chosen(_parted(kept > 0), flat, area=AREA_UM2)


def _parted(mask: npt.NDArray[np.bool_]) -> Labels:
    """Join neighbours and part them again by their shape."""
    filled = ndimage.binary_fill_holes(ndimage.binary_closing(mask, disk(1)))
    depth = ndimage.distance_transform_edt(filled)
    # Half a pixel of smoothing stands for the tolerance of a watershed on integer distances.
    peaks = peak_local_max(ndimage.gaussian_filter(depth, 1.0), min_distance=4, labels=filled)
    seeds = np.zeros(mask.shape, np.int32)
    seeds[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    return np.asarray(watershed(-depth, seeds, mask=filled), np.int32)


def _chosen(labels: npt.NDArray[np.integer], od: Floats, *, area: tuple[float, float]) -> Labels:
    n = int(labels.max()) + 1
    size = np.bincount(labels.ravel(), minlength=n) * WORKING_MPP**2
    mean = np.bincount(labels.ravel(), weights=od.ravel(), minlength=n) / np.maximum(
        np.bincount(labels.ravel(), minlength=n), 1
    )
    good = (size >= area[0]) & (size <= area[1]) & (mean > THRESHOLD_OD)
    good[0] = False
    table = np.where(good, np.cumsum(good), 0).astype(np.int32)
    return table[labels]
