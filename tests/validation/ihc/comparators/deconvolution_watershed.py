"""scikit-image's colour deconvolution and watershed, put together as its gallery shows.

`separate_stains` with the H-DAB matrix, Otsu's threshold on hematoxylin, a distance transform with
a watershed to part touching nuclei, and cells by `expand_labels`.  The membrane is what stains most
within 1 µm of the expanded cell's border.  The library knows no thresholds for DAB; those of QuPath
(0.2, 0.4, 0.6) are taken, and completeness is the share of the border above the first.
The tumour is outlined for this method as a person would: it has no choice of tumour cells.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.color import hdx_from_rgb, separate_stains
from skimage.feature import peak_local_max
from skimage.filters import gaussian, threshold_otsu
from skimage.morphology import remove_small_objects
from skimage.segmentation import expand_labels, find_boundaries, watershed

from her2path.domain.ihc import Intensity, Pattern, staining_class
from her2path.imaging.phantoms.ihc import IhcPhantom
from tests.validation.ihc.comparators.given import Floats, in_regions, pixels_of
from tests.validation.ihc.reading import Reading, score_of

WORKING_MPP = 0.5
OD_PER_UNIT = 6.0
"""`separate_stains` takes logarithms to the base of a millionth: its unit is 6 decadic OD."""
CUTS_OD = (0.2, 0.4, 0.6)
STRENGTHS = (Intensity.NONE, Intensity.WEAK, Intensity.MODERATE, Intensity.STRONG)
MIN_AREA_UM2 = 15.0
NUCLEUS_RADIUS_UM = 3.0
EXPANSION_UM = 4.0
MEMBRANE_UM = 1.5
"""Width of the band in which a membrane is sought."""
MIN_COMPLETENESS, COMPLETE = 0.10, 0.80


@dataclass(frozen=True, slots=True)
class DeconvolutionWatershed:
    """The method as a column of the table."""

    name: str = "scikit-image"

    def read(self, slide: Path, phantom: IhcPhantom, folder: Path, **sheet: object) -> Reading:
        """Read a slide."""
        del folder, sheet
        started = time.perf_counter()
        rgb, factor = pixels_of(slide, WORKING_MPP, phantom.spec.mpp)
        stains = separate_stains(rgb, hdx_from_rgb) * OD_PER_UNIT
        nuclei = _nuclei(np.asarray(stains[..., 0], np.float64))
        cells = expand_labels(nuclei, EXPANSION_UM / WORKING_MPP)
        completeness, od = _membranes(cells, np.asarray(stains[..., 1], np.float64))
        seconds = time.perf_counter() - started
        xy = _centres(nuclei) * factor
        chosen = in_regions(xy, phantom)
        stainings = [_grade(c, d) for c, d in zip(completeness[chosen], od[chosen], strict=True)]
        return Reading(
            x_px0=xy[chosen, 0],
            y_px0=xy[chosen, 1],
            completeness=completeness[chosen],
            classes=tuple(staining_class(*staining) for staining in stainings),
            score=score_of(stainings),
            seconds=seconds,
        )


def _nuclei(hematoxylin: Floats) -> npt.NDArray[np.int32]:
    smooth = gaussian(hematoxylin, 1.0)
    mask = ndimage.binary_fill_holes(ndimage.binary_opening(smooth > threshold_otsu(smooth)))
    mask = remove_small_objects(mask, max_size=int(MIN_AREA_UM2 / WORKING_MPP**2))
    depth = gaussian(ndimage.distance_transform_edt(mask), 1.0)
    peaks = peak_local_max(depth, min_distance=round(NUCLEUS_RADIUS_UM / WORKING_MPP), labels=mask)
    seeds = np.zeros(mask.shape, np.int32)
    seeds[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    return np.asarray(watershed(-depth, seeds, mask=mask), np.int32)


def _centres(labels: npt.NDArray[np.int32]) -> Floats:
    found = np.arange(1, labels.max() + 1)
    return np.array(ndimage.center_of_mass(labels > 0, labels, found)).reshape(-1, 2)[:, ::-1] + 0.5


def _membranes(cells: npt.NDArray[np.int32], dab: Floats) -> tuple[Floats, Floats]:
    """Share of each cell's border that stains, and the mean density of that part."""
    # An expanded cell ends beside the membrane as often as on it: the darkest place near by counts.
    near = ndimage.maximum_filter(gaussian(dab, 0.5), 2 * round(MEMBRANE_UM / WORKING_MPP) - 1)
    border = find_boundaries(cells, mode="inner")
    n = int(cells.max()) + 1
    stained = border & (near >= CUTS_OD[0])
    size = np.bincount(cells[border], minlength=n)
    over = np.bincount(cells[stained], minlength=n)
    total = np.bincount(cells[stained], weights=near[stained], minlength=n)
    return (over / np.maximum(size, 1))[1:], (total / np.maximum(over, 1))[1:]


def _grade(completeness: float, od: float) -> tuple[Intensity, Pattern]:
    if completeness < MIN_COMPLETENESS:
        return Intensity.NONE, Pattern.NONE
    pattern = Pattern.COMPLETE if completeness >= COMPLETE else Pattern.INCOMPLETE
    return STRENGTHS[int(np.searchsorted(CUTS_OD, od, side="right"))], pattern
