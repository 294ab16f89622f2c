"""Whether an image is an H-DAB slide at all, and whether its stain model is physically plausible.

What makes every score wrong is `Unsuitable` and is refused by the step that asks: no light, a dark
background, a red chromogen, eosin, brown everywhere.  What may be right but is unusual is a
`Plausibility` with reasons, written beside the vectors.  Scanners differ, so hue alone refuses
nothing: brown may be yellow, grey or reddish.  What no scanner turns brown into is a colour that
absorbs *green* more than the mean of red and blue, as every red chromogen and eosin do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from her2path.imaging.stain import RUIFROK_DAB, RUIFROK_HEMATOXYLIN, StainModel
from her2path.imaging.stain_estimation import (
    EndOfHues,
    StainPixels,
    angle_deg,
    dab_end,
    hematoxylin_end,
    hues,
)
from her2path.imaging.white_point import Brightness

Verdict = Literal["plausible", "doubtful", "implausible"]

_BLACK_LEVEL, _UNLIT_LEVEL, _DARK_LEVEL, _LIGHT_LEVEL = 12, 20, 70, 150
"""Grey levels: the brightest of a black image; the background of fluorescence; dark; what glass and lumens
exceed on every bright-field scanner."""
_UNLIT_FRAC = 0.2
_LIGHT_FRAC = 0.05
_RED_GREEN = 1.22
"""Green density over the mean of red and blue: DAB has 0.92 to 1.10 on all scanners tried, AEC 1.3 to 1.5,
fast red and eosin 1.8 and more."""
_RED_GREEN_OVER_BLUE = 0.92
"""Green over blue density, too: mixtures with hematoxylin reach the first cut, but not both."""
_PLAIN_RED = 1.6
_RED_PIXELS, _PLAIN_RED_PIXELS = 40, 20
"""Pixels on which a chromogen may be called red; down to half of them will do the plainer it is red."""
_RED_SHARE = 0.46
"""Green share of the density of a red pixel: published hematoxylin has 0.43, eosin 0.51 to 0.85."""
_RED_PASSES, _OF_HEMATOXYLIN = 0.65, 0.75
"""Red over green density of a red pixel, at most: plainly, or as a share of the slide's hematoxylin.  A
violet hematoxylin absorbs as much green as a pale eosin does, 0.47 to 0.51 of its density, but red as
well: 0.74 of its green and more, the published one 0.93, a blue one 1.2.  Eosins and red chromogens let
red light pass: 0.07 to 0.27, and up to 0.6 with as much hematoxylin over them."""
_EOSIN_FRAC, _RED_EVERYWHERE = 0.50, 0.90
"""Shares of red among stained pixels from which eosin is thought of, and from which nothing else is."""
_EOSIN_SPREAD = 2.6
"""Upper twentieth over median of the density: eosin colours all tissue (1.7 to 2.4), a red chromogen
stands out from it (3.2 and more)."""
_BROWN_HUE, _BLUE_HUE = -0.04, 0.04
_ALL_BROWN, _NO_BLUE, _COVERED, _BROWN_DENSITY = 0.95, 0.01, 0.8, 0.6
"""Shares of brown and blue among stained pixels, of stained among all, and their median density (sum of
three channels), of a slide whose brown hides everything."""
_OPAQUE_FRAC = 0.6
_FAR_DEG, _TOO_FAR_DEG = 16.0, 28.0
"""Angles from the published vectors that call for a look, and that no stain and scanner explain."""
_CLOSE_DEG = 22.0
_UNEXPLAINED, _FOREIGN = 0.20, 0.40
"""Share of the density that neither stain explains: eight real cores have 0.03 to 0.08."""
_DIM_LEVEL = 190.0
_OWN = 0.5
"""Weight from which a vector is mostly the slide's own."""


@dataclass(frozen=True, slots=True)
class Unsuitable:
    """Why an image cannot be read as H-DAB, and what to do about it."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Plausibility:
    """Verdict on a stain model; every reason is a sentence for a person."""

    verdict: Verdict
    reasons: tuple[str, ...]


def judge_light(brightness: Brightness) -> Unsuitable | None:
    """Refuse what no lamp shone through: black, fluorescence, inverted.

    Parameters
    ----------
    brightness : Brightness
        Of the whole slide.
    """
    pixels = int(brightness.every.sum())
    if not pixels:
        return None
    if brightness.quantile(0.999) < 3 * _BLACK_LEVEL:
        return Unsuitable(
            "black", "it is black: no light reached the camera; look at the file and scan again"
        )
    light = float(brightness.every[3 * _LIGHT_LEVEL :].sum()) / pixels
    # Tissue that is brown all over is dark, too, but nowhere as dark as a field without a lamp.
    unlit = brightness.quantile(_UNLIT_FRAC) < 3 * _UNLIT_LEVEL
    if unlit and brightness.quantile(0.5) < 3 * _DARK_LEVEL and light < _LIGHT_FRAC:
        return Unsuitable(
            "not_bright_field",
            "its background is dark, so it is a fluorescence or an inverted image; give it as assay `fish`, "
            "or export it as it was scanned",
        )
    return None


def judge_colours(pixels: StainPixels, model: StainModel) -> Unsuitable | None:
    """Refuse colours that are not those of hematoxylin and DAB.

    Parameters
    ----------
    pixels : StainPixels
        Of samples of the tissue.
    model : StainModel
        Estimated from the same samples.
    """
    stained = pixels.stained
    density, hue = stained.sum(axis=1), hues(stained)
    count = max(len(hue), 1)
    brown, blue = (hue < _BROWN_HUE).sum() / count, (hue > _BLUE_HUE).sum() / count
    dense = len(hue) and float(np.median(density)) >= _BROWN_DENSITY
    clipped = pixels.clipped_frac > _OPAQUE_FRAC
    if pixels.coverage > _COVERED and (clipped or (dense and brown > _ALL_BROWN and blue < _NO_BLUE)):
        return Unsuitable(
            "all_brown",
            "its tissue is brown or opaque all over, so neither nuclei nor membranes can be told; "
            "repeat the stain, diluted or with a shorter reaction",
        )
    red = float(absorbs_as_eosin(stained, model).sum() / count)
    spread = float(np.quantile(density, 0.95) / np.median(density)) if len(density) else 0.0
    if red > _RED_EVERYWHERE or (red > _EOSIN_FRAC and spread < _EOSIN_SPREAD):
        return Unsuitable(
            "not_ihc",
            f"{100 * red:.0f} % of its stained pixels absorb as eosin does, so it is H&E, or red all over, "
            "and no IHC with DAB; correct the case sheet",
        )
    chromogen = dab_end(pixels)
    if chromogen is not None and _is_red(chromogen):
        return Unsuitable(
            "other_chromogen",
            "its second stain is red, not brown (fast red, AEC or a like chromogen); intensities are "
            "defined for DAB alone: stain again with DAB",
        )
    if model.white_origin == "default" and len(density):
        return Unsuitable(
            "no_light_place",
            "no place of it is light, so it is inverted, underexposed or opaque; export it as it was "
            "scanned, or scan it again",
        )
    return None


def absorbs_as_eosin(od: npt.NDArray[np.floating], model: StainModel) -> npt.NDArray[np.bool_]:
    """Tell matter that stops green light and lets red pass: eosin, and red chromogens.

    Parameters
    ----------
    od : ndarray of float, shape (n, 3)
        Densities over the blank field, of places dense enough to have a hue.
    model : StainModel
        Its hematoxylin says how much red what is no eosin absorbs beside as much green.

    Returns
    -------
    red : ndarray of bool, shape (n,)

    Examples
    --------
    Published eosin; hematoxylin, published and violet; DAB.

    >>> od = np.array([(0.07, 0.99, 0.11), (0.65, 0.70, 0.29), (0.56, 0.72, 0.13), (0.27, 0.57, 0.78)])
    >>> absorbs_as_eosin(od, StainModel()).tolist()
    [True, False, False, False]
    """
    red, green = od[:, 0], od[:, 1]
    passes = max(_RED_PASSES, _OF_HEMATOXYLIN * model.hematoxylin[0] / model.hematoxylin[1])
    return np.asarray((green > _RED_SHARE * od.sum(axis=1)) & (red < passes * green), np.bool_)


def _is_red(chromogen: EndOfHues) -> bool:
    red, green, blue = (float(part) for part in chromogen.vector)
    excess = 2 * green / (red + blue)
    is_red = excess > _PLAIN_RED or (excess > _RED_GREEN and green > _RED_GREEN_OVER_BLUE * blue)
    fewest = np.interp(excess, (_RED_GREEN, _PLAIN_RED), (_RED_PIXELS, _PLAIN_RED_PIXELS))
    return bool(is_red and chromogen.pixels >= fewest)


def judge_plausibility(model: StainModel, pixels: StainPixels) -> Plausibility:
    """Say how far a stain model may be believed.

    Parameters
    ----------
    model : StainModel
    pixels : StainPixels
        Those that it was estimated from.

    Returns
    -------
    Plausibility
        ``implausible`` where no stain and scanner give such colours.
    """
    doubts = _of_white(model)
    faults: list[str] = []
    for name, end, published in (
        ("hematoxylin", hematoxylin_end(pixels), RUIFROK_HEMATOXYLIN),
        ("DAB", dab_end(pixels), RUIFROK_DAB),
    ):
        weight = model.hematoxylin_weight if name == "hematoxylin" else model.dab_weight
        if end is not None and weight >= _OWN:
            away = angle_deg(end.vector.tolist(), published)
            said = f"{name} lies {away:.0f}° from its published colour"
            (faults if away > _TOO_FAR_DEG else doubts if away > _FAR_DEG else []).append(said)
    apart = angle_deg(model.hematoxylin, model.dab)
    if apart < _CLOSE_DEG:
        doubts.append(f"the two stains lie only {apart:.0f}° apart, so their amounts are noisy")
    if model.hematoxylin_weight == 0 and len(pixels.absolute):
        doubts.append("no hematoxylin was found: nuclei cannot be seen")
    foreign = _unexplained(model, pixels)
    if foreign > _UNEXPLAINED:
        said = f"{100 * foreign:.0f} % of the density is of a colour that neither stain explains"
        (faults if foreign > _FOREIGN else doubts).append(said)
    if faults:
        return Plausibility("implausible", (*faults, *doubts))
    return Plausibility("doubtful" if doubts else "plausible", tuple(doubts))


def _of_white(model: StainModel) -> list[str]:
    if model.white_origin == "lightest_tissue":
        return ["no glass was found; the white point rests on the lightest places of the tissue"]
    if model.white_origin == "default":
        return ["no glass and no light place was found; a usual white point was taken"]
    dim = max(model.white) < _DIM_LEVEL
    return [f"the glass is dim ({max(model.white):.0f} of 255): densities are coarse"] if dim else []


def _unexplained(model: StainModel, pixels: StainPixels) -> float:
    """Share of the density of stained pixels along the direction at right angles to both stains."""
    stained = pixels.stained
    if not len(stained):
        return 0.0
    third = np.cross(model.hematoxylin, model.dab)
    beyond = np.abs(stained @ (third / np.linalg.norm(third)))
    return float(beyond.sum() / np.linalg.norm(stained, axis=1).sum())
