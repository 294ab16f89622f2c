"""Whether a bright-field slide can be measured: focus, saturation, stains, dirt.

Measures are numbers; what they mean is a `Remark`, a sentence for a person.  Only what makes every
result wrong (a fluorescence image, an H&E stain) is a reason to refuse, and that is decided by the
step that asks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from her2path.imaging.artefact_areas import KindSum
from her2path.imaging.artefacts import ArtefactKind
from her2path.imaging.stain import StainModel, optical_density, separate
from her2path.imaging.stain_verdict import Plausibility, Unsuitable, absorbs_as_eosin
from her2path.imaging.tissue import MASK_MPP, TissueFeatures

_FINE_UM, _COARSE_UM = 0.5, 2.0
"""Detail of chromatin and membranes, and structure that survives defocus."""
_STAINED_OD = 0.30
"""Sum of densities of a pixel that has a hue."""
_BROWN_OD = 0.12
_OPAQUE_LEVEL = 6
"""Grey level at which the camera sees no light: optical density cannot be told any more."""
_COLOUR_LEVELS = 6
"""Grey levels between channels that noise and JPEG do not make."""

_NOTABLE_DIFFERENCE = 0.05
"""Share of a pixel size: calibrations of one scanner differ by less."""


@dataclass(frozen=True, slots=True)
class SlideMeasures:
    """Measuring conditions of one bright-field slide."""

    sharpness: float
    """Gradient of fine detail over that of coarse structure in tissue; unitless, blur lowers it."""
    opaque_frac: float
    """Share of stained pixels without light in some channel."""
    brown_frac: float
    """Share of tissue pixels that are brown."""
    eosin_frac: float
    """Share of stained pixels that absorb green as eosin does."""
    colour_frac: float
    """Share of stained pixels whose channels differ by more than noise; a grey copy of a slide has none."""
    dirt_mm2: float
    """Dark, colourless, smooth matter."""
    blurred_frac: float
    """Share of the sampled places that are out of focus."""


@dataclass(frozen=True, slots=True)
class QualityCuts:
    """From where a measure is remarked upon."""

    sharpness: float = 1.7
    """Places of eight sharp cores have 2.0 to 5.8; blurred by 1 µm their median is 1.7 to 2.2."""
    blurred_frac: float = 0.25
    opaque_frac: float = 0.02
    brown_frac: float = 0.0005
    dirt_mm2: float = 0.01
    tissue_mm2: float = 0.1


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that a person should know of a slide."""

    code: str
    severity: Literal["info", "warning"]
    message: str


def measure_sharpness(rgb: npt.NDArray[np.uint8], *, mpp: float) -> float:
    """Compare fine with coarse gradients; NaN-free, 0 on an empty field.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (M, N, 3)
        Tissue at working pixel size.
    mpp : float
        Pixel size in µm.

    Examples
    --------
    >>> measure_sharpness(np.full((64, 64, 3), 240, np.uint8), mpp=0.5)
    0.0
    """
    grey = np.asarray(cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY), np.float32)
    fine = _gradient(grey, _FINE_UM / mpp) - _noise_gradient(grey)
    coarse = _gradient(grey, _COARSE_UM / mpp)
    # The strongest gradients are edges of cells; the rest of a field is plain.
    strong = coarse > np.quantile(coarse, 0.8)
    total = float(coarse[strong].mean()) if strong.any() else 0.0
    return float(max(fine[strong].mean(), 0.0) / total) if total > 0.1 else 0.0


def _gradient(grey: npt.NDArray[np.float32], sigma: float) -> npt.NDArray[np.float32]:
    smooth = cv2.GaussianBlur(grey, (0, 0), sigma)
    dx, dy = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    return np.asarray(cv2.magnitude(dx, dy), np.float32)


def _noise_gradient(grey: npt.NDArray[np.float32]) -> float:
    """Gradient that noise alone gives: that of the plainest tenth of the field."""
    fine = _gradient(grey, 1.0)
    return float(np.quantile(fine, 0.1))


def measure_slide(
    samples: list[npt.NDArray[np.uint8]], features: TissueFeatures, model: StainModel, *, mpp: float
) -> SlideMeasures:
    """Measure a slide on samples of its tissue.

    Parameters
    ----------
    samples : list of ndarray of uint8, shape (M, N, 3)
        Pieces of tissue at working pixel size; at least one.
    features : TissueFeatures
        Of the whole slide.
    model : StainModel
    mpp : float
        Pixel size of the samples in µm.
    """
    cuts = QualityCuts()
    sharp = np.array([measure_sharpness(sample, mpp=mpp) for sample in samples])
    pixels = np.concatenate([sample.reshape(-1, 3) for sample in samples])[None]
    od = optical_density(pixels, white=model.white)[0]
    total = od[:, 0] + od[:, 1] + od[:, 2]
    stained = total > _STAINED_OD
    count = max(int(stained.sum()), 1)
    amounts = separate(pixels, model)
    brown = (amounts.dab - np.maximum(amounts.hematoxylin, 0))[0] > _BROWN_OD
    eosin = stained & absorbs_as_eosin(od, model)
    red, green, blue = pixels[0].T
    darkest = np.minimum(np.minimum(red, green), blue)
    spread = np.maximum(np.maximum(red, green), blue).astype(np.int16) - darkest
    coloured = stained & (np.abs(spread - _white_spread(model)) > _COLOUR_LEVELS)
    dirt = (features.density > 0.3) & (np.abs(features.tint) < 0.05 * features.density)
    return SlideMeasures(
        sharpness=float(np.median(sharp)),
        opaque_frac=float((stained & (darkest <= _OPAQUE_LEVEL)).sum() / count),
        brown_frac=float(brown.mean()),
        eosin_frac=float(eosin.sum() / count),
        colour_frac=float(coloured.sum() / count),
        dirt_mm2=float(dirt.sum() * MASK_MPP**2 / 1e6),
        blurred_frac=float((sharp < cuts.sharpness).mean()),
    )


def _white_spread(model: StainModel) -> float:
    return max(model.white) - min(model.white)


def remark_on(
    measures: SlideMeasures, model: StainModel, *, tissue_mm2: float, cuts: QualityCuts | None = None
) -> tuple[Remark, ...]:
    """Say what a person should know, most weighty first."""
    cuts = cuts or QualityCuts()
    found: list[tuple[bool, Remark]] = [
        (
            measures.blurred_frac > cuts.blurred_frac,
            Remark(
                "out_of_focus",
                "warning",
                f"{100 * measures.blurred_frac:.0f} % of the sampled tissue is out of focus: faint membranes "
                "cannot be seen there; scan the slide again",
            ),
        ),
        (
            measures.opaque_frac > cuts.opaque_frac,
            Remark(
                "saturated",
                "warning",
                f"{100 * measures.opaque_frac:.1f} % of the stained pixels are opaque: "
                "their optical density is a lower bound",
            ),
        ),
        (
            tissue_mm2 < cuts.tissue_mm2,
            Remark("little_tissue", "warning", f"only {tissue_mm2:.3f} mm² of tissue were found"),
        ),
        (
            measures.dirt_mm2 > cuts.dirt_mm2,
            Remark(
                "debris",
                "info",
                f"{measures.dirt_mm2:.2f} mm² of dark, colourless matter lie on the slide; "
                "it was left out of the tissue",
            ),
        ),
        (
            measures.brown_frac < cuts.brown_frac,
            Remark(
                "no_dab",
                "info",
                "no brown was found anywhere: a negative slide looks like this, and so does a failed "
                "stain; look at the control tissue",
            ),
        ),
        (
            model.white_origin == "default",
            Remark(
                "default_white_point", "warning", "too little blank glass for a white point; 245 was used"
            ),
        ),
        (
            "default" in (model.hematoxylin_origin, model.dab_origin),
            Remark(
                "default_stain_vectors",
                "info",
                "too few pixels of one stain alone; its published vector was used "
                f"(hematoxylin {model.hematoxylin_origin}, DAB {model.dab_origin})",
            ),
        ),
    ]
    return tuple(remark for holds, remark in found if holds)


_KIND_WORDS: Mapping[ArtefactKind, str] = MappingProxyType(
    {
        ArtefactKind.OUT_OF_FOCUS: "out of focus",
        ArtefactKind.PEN: "under ink",
        ArtefactKind.FOLD: "folded",
        ArtefactKind.BUBBLE: "under air bubbles",
        ArtefactKind.COVERSLIP_EDGE: "at the edge of the coverslip or beyond it",
        ArtefactKind.SATURATED: "opaque",
        ArtefactKind.DEBRIS: "under dirt or precipitate",
        ArtefactKind.PIGMENT: "full of dark grains",
    }
)


def remark_on_artefacts(sums: Sequence[KindSum], *, notable_frac: float) -> tuple[Remark, ...]:
    """Say how much of a slide each kind of artefact takes.

    Parameters
    ----------
    sums : sequence of KindSum
    notable_frac : float
        Share of the tissue from which a kind is a warning.
    """
    return tuple(
        Remark(
            str(found.kind),
            "warning" if found.tissue_frac >= notable_frac else "info",
            f"{found.area_mm2:.3f} mm² in {found.areas} {'place is' if found.areas == 1 else 'places are'} "
            f"{_KIND_WORDS[found.kind]}, {100 * found.tissue_frac:.1f} % of the tissue; "
            "cells there are not scored",
        )
        for found in sums
    )


@dataclass(frozen=True, slots=True)
class ReadingLimits:
    """Beyond these a slide cannot be read; `SlideQualityParams` says what each means."""

    min_colour_frac: float
    min_sharpness: float
    max_eosin_frac: float


def judge_measures(
    measures: SlideMeasures, plausibility: Plausibility, limits: ReadingLimits
) -> Unsuitable | None:
    """Say why a slide cannot be read; None if it can."""
    if measures.colour_frac < limits.min_colour_frac:
        detail = "it has no colours, so brown cannot be told from blue; export or scan it in colour"
        return Unsuitable("no_colour", detail)
    if measures.sharpness < limits.min_sharpness:
        detail = "its tissue is out of focus, so membranes cannot be seen; scan it again"
        return Unsuitable("out_of_focus", detail)
    if measures.eosin_frac > limits.max_eosin_frac:
        share = f"{100 * measures.eosin_frac:.0f} % of its stained pixels absorb as eosin does"
        detail = f"{share}, so it is an H&E stain and no IHC; correct the case sheet"
        return Unsuitable("not_ihc", detail)
    if plausibility.verdict == "implausible":
        why = "; ".join(plausibility.reasons)
        detail = f"its colours are not those of hematoxylin and DAB ({why}); look at the image"
        return Unsuitable("implausible_stain", detail)
    return None


def judge_artefacts(sums: Sequence[KindSum], *, max_frac: float) -> Unsuitable | None:
    """Say that artefacts leave too little of the tissue; None if enough is left."""
    spoilt = sum(found.tissue_frac for found in sums)
    if spoilt <= max_frac:
        return None
    worst = max(sums, key=lambda found: found.tissue_frac)
    share = f"{100 * spoilt:.0f} % of its tissue cannot be read, most of it is {_KIND_WORDS[worst.kind]}"
    code = "out_of_focus" if worst.kind is ArtefactKind.OUT_OF_FOCUS else "artefacts"
    return Unsuitable(code, f"{share}; clean or cover the slide anew and scan it again")


def remark_on_pixel_size(mpp: float, *, stated: float | None) -> list[Remark]:
    """Say where the case sheet contradicts the file: every size and distance hangs on it.

    Parameters
    ----------
    mpp : float
        Pixel size (µm) that is used.
    stated : float, optional
        What the file itself says; None = nothing usable.
    """
    if stated is None or abs(mpp - stated) <= _NOTABLE_DIFFERENCE * stated:
        return []
    message = (
        f"the case sheet gives {mpp:.4g} µm per pixel, the file says {stated:.4g}; "
        "the sheet's was used: check column mpp"
    )
    return [Remark("pixel_size_contradicted", "warning", message)]
