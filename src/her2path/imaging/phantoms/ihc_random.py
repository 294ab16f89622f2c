"""Domain randomisation: styles and specs drawn over the range of laboratories, scanners and tissue.

Ranges are wider than what one would expect to meet, so that real slides lie within them [1]_; the
mixes of classes crowd around the 10 % cuts, where a score is decided.

References
----------
.. [1] Tobin et al., Domain randomization for transferring deep neural networks from simulation to
   the real world, IROS 2017.
"""

from __future__ import annotations

import numpy as np

from her2path.domain.ihc import Intensity, Pattern
from her2path.imaging.artefacts import ArtefactKind
from her2path.imaging.phantoms.ihc_detail import ArtefactSpec, TissueDetail
from her2path.imaging.phantoms.ihc_spec import (
    Architecture,
    ClassShare,
    IhcPhantomSpec,
    StainStyle,
)
from her2path.imaging.phantoms.texture import stream

MIN_ANGLE_DEG = 22.0
"""Smallest angle between the vectors of the two stains; Ruifrok & Johnston's are 37 degrees apart."""
_STAINED: tuple[tuple[Intensity, Pattern], ...] = tuple(
    (intensity, pattern)
    for intensity in (Intensity.FAINT, Intensity.WEAK, Intensity.MODERATE, Intensity.STRONG)
    for pattern in (Pattern.INCOMPLETE, Pattern.BASOLATERAL, Pattern.COMPLETE)
)
_ARCHITECTURES: tuple[tuple[Architecture, float], ...] = (
    ("solid", 0.40),
    ("glandular", 0.30),
    ("trabecular", 0.18),
    ("discohesive", 0.12),
)


def random_style(rng: np.random.Generator) -> StainStyle:
    """Draw the colours and optics of a laboratory and a scanner.

    Parameters
    ----------
    rng : Generator
        Advanced.

    Returns
    -------
    StainStyle
        Hematoxylin from violet to cyan, DAB from yellowish to greyish brown; nuclei from barely
        visible to an OD of about 1; white, blur, sharpening, noise and JPEG (60 to 95) of slide
        scanners.

    Examples
    --------
    >>> 60 <= random_style(np.random.default_rng(1)).jpeg_quality <= 95
    True
    """
    level = rng.uniform(214, 250)
    cast = rng.normal(0, 4.0, 3)
    red, green, blue = (round(float(w), 1) for w in np.clip(level + cast, 205, 253))
    # A third of the scanners does not sharpen, some do so hard.
    sharpen = 0.0 if rng.random() < 0.3 else rng.uniform(0.2, 1.7)
    hematoxylin, dab = _vectors(rng)
    return StainStyle(
        "random",
        hematoxylin,
        dab,
        (red, green, blue),
        hematoxylin_gain=_drawn(rng, 0.16, 1.8, log=True),
        blush_od=_drawn(rng, 0.002, 0.09, log=True),
        haze_od=_drawn(rng, 0.001, 0.035, log=True),
        psf_um=_drawn(rng, 0.18, 0.50),
        sharpen=round(float(sharpen), 3),
        noise=_drawn(rng, 0.5, 3.2, log=True),
        jpeg_quality=int(rng.integers(60, 96)),
    )


def _vectors(rng: np.random.Generator) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Draw hematoxylin and DAB until they are as far apart as a counterstain that one would choose."""
    while True:
        hematoxylin = _vector(rng, (0.56, 0.84), (0.50, 0.76), (0.10, 0.44))
        dab = _vector(rng, (0.20, 0.46), (0.48, 0.62), (0.64, 0.86))
        one, other = (np.array(v) / np.linalg.norm(v) for v in (hematoxylin, dab))
        if one @ other < np.cos(np.radians(MIN_ANGLE_DEG)):
            return hematoxylin, dab


def _vector(rng: np.random.Generator, *ranges: tuple[float, float]) -> tuple[float, float, float]:
    red, green, blue = (round(float(rng.uniform(*bounds)), 4) for bounds in ranges)
    return red, green, blue


def _drawn(rng: np.random.Generator, low: float, high: float, *, log: bool = False) -> float:
    value = np.exp(rng.uniform(np.log(low), np.log(high))) if log else rng.uniform(low, high)
    return round(float(value), 4)


def random_spec(
    seed: int, *, size_px: int = 1024, mpp: float = 0.5, artefacts: bool = True
) -> IhcPhantomSpec:
    """Draw a lifelike phantom: style, architecture, classes, unspecific stain and artefacts.

    Parameters
    ----------
    seed : int
        Decides everything; also the seed of the spec.
    size_px : int
        Width and height.
    mpp : float
        Pixel size in µm.
    artefacts : bool
        Whether some specs (about 40 %) get one to three artefacts.

    Examples
    --------
    >>> random_spec(3, size_px=256) == random_spec(3, size_px=256)
    True
    """
    rng = stream(seed, "random spec")
    names = [name for name, _ in _ARCHITECTURES]
    architecture = names[int(rng.choice(len(names), p=[share for _, share in _ARCHITECTURES]))]
    classes = random_classes(rng)
    strong = sum(share.fraction for share in classes if share.intensity is Intensity.STRONG)
    small = architecture in ("trabecular", "discohesive")
    return IhcPhantomSpec(
        seed=seed,
        width_px=size_px,
        height_px=size_px,
        mpp=mpp,
        classes=classes,
        style=random_style(rng),
        architecture=architecture,
        tumour_fraction=_drawn(rng, 0.15, 0.55) if small else _drawn(rng, 0.2, 0.9),
        background_fraction=0.0 if rng.random() < 0.4 else _drawn(rng, 0.02, 0.30),
        lymphocytes_per_mm2=_drawn(rng, 80, 7000, log=True),
        patchiness=0.0 if rng.random() < 0.15 else _drawn(rng, 0.2, 1.0),
        cell_diameter_um=_drawn(rng, 9.5, 15.0) if small else _drawn(rng, 9.5, 19.0),
        detail=_random_detail(rng, strong),
        artefacts=_random_artefacts(rng, size_px * mpp) if artefacts and rng.random() < 0.4 else (),
    )


def random_classes(rng: np.random.Generator) -> tuple[ClassShare, ...]:
    """Draw a mix of classes: none, one, around a 10 % cut, all strong, or anything.

    Examples
    --------
    >>> sum(share.fraction for share in random_classes(np.random.default_rng(2))) <= 1
    True
    """
    kind = rng.choice(["null", "single", "cut", "strong", "mix"], p=[0.12, 0.16, 0.26, 0.14, 0.32])
    if kind == "null":
        return ()
    if kind == "single":
        intensity, pattern = _STAINED[int(rng.integers(len(_STAINED)))]
        return (ClassShare(intensity, pattern, _drawn(rng, 0.3, 1.0)),)
    if kind == "cut":
        # One class near 10 %, and beneath it the classes that a slide of this kind has.
        intensity, pattern = _STAINED[int(rng.integers(len(_STAINED)))]
        first = ClassShare(intensity, pattern, _drawn(rng, 0.05, 0.16))
        others = [pair for pair in _STAINED if pair != (intensity, pattern)]
        other = others[int(rng.integers(len(others)))]
        return first, ClassShare(*other, _drawn(rng, 0.0, 0.5))
    if kind == "strong":
        complete = _drawn(rng, 0.6, 0.98)
        rest = _drawn(rng, 0.0, round(1 - complete, 4))
        return (
            ClassShare(Intensity.STRONG, Pattern.COMPLETE, complete),
            ClassShare(Intensity.MODERATE, Pattern.COMPLETE, rest),
        )
    weights = rng.dirichlet(np.full(len(_STAINED), 0.35)) * rng.uniform(0.2, 1.0)
    return tuple(
        ClassShare(*pair, float(np.floor(weight * 1e4) / 1e4))
        for pair, weight in zip(_STAINED, weights, strict=True)
        if weight > 0.01
    )


def _random_detail(rng: np.random.Generator, strong_share: float) -> TissueDetail:
    """Draw tissue and unspecific stain; each kind of unspecific stain is rare by itself."""

    def rarely(share: float, low: float, high: float) -> float:
        value = _drawn(rng, low, high)
        return value if rng.random() < share else 0.0

    # Where most membranes are strong, the chromogen spreads.
    spread = _drawn(rng, 0.05, 0.30) + (rarely(0.5, 0.1, 0.45) if strong_share > 0.5 else 0.0)
    return TissueDetail(
        relief=_drawn(rng, 0.2, 2.2),
        nuclear_scale=_drawn(rng, 0.85, 1.35),
        vesicular=_drawn(rng, 0.1, 0.95),
        pleomorphism=_drawn(rng, 0.05, 0.9),
        crowding=_drawn(rng, 0.0, 1.0),
        stroma_cells_per_mm2=_drawn(rng, 400, 4000, log=True),
        looseness=_drawn(rng, 0.05, 0.95),
        granularity=round(_drawn(rng, 0.0, 1.0) ** 1.6, 4),
        stratified=bool(rng.random() < 0.5),
        epithelium_um=_drawn(rng, 14, 45),
        nucleoli=_drawn(rng, 0.3, 1.8),
        gaps=_drawn(rng, 0.0, 0.6),
        retraction_um=rarely(0.5, 0.5, 6.0),
        vacuoles=_drawn(rng, 0.0, 0.8),
        basophilia=_drawn(rng, 0.4, 3.2, log=True),
        oblique=_drawn(rng, 0.05, 0.45),
        dab_spread=round(spread, 4),
        cytoplasm_dab_od=rarely(0.30, 0.03, 0.45),
        nuclear_dab_od=rarely(0.12, 0.05, 0.40),
        stroma_dab_od=rarely(0.25, 0.01, 0.10),
        edge_dab_od=rarely(0.20, 0.05, 0.40),
        ducts_per_mm2=rarely(0.30, 3, 14),
        vessels_per_mm2=rarely(0.6, 5, 60),
        red_cells_per_mm2=rarely(0.5, 20, 400),
        aggregates_per_mm2=rarely(0.25, 2, 14),
        necrosis_fraction=rarely(0.15, 0.03, 0.30),
        mitoses=_drawn(rng, 0.0, 0.015),
    )


def _random_artefacts(rng: np.random.Generator, side_um: float) -> tuple[ArtefactSpec, ...]:
    return tuple(
        random_artefact(rng, tuple(ArtefactKind)[int(rng.integers(len(ArtefactKind)))], side_um)
        for _ in range(int(rng.choice([1, 2, 3], p=[0.6, 0.3, 0.1])))
    )


_SIZES_UM = {
    ArtefactKind.OUT_OF_FOCUS: (60, 400),
    ArtefactKind.PEN: (80, 500),
    ArtefactKind.FOLD: (15, 80),
    ArtefactKind.BUBBLE: (40, 400),
    ArtefactKind.COVERSLIP_EDGE: (10, 20),
    ArtefactKind.SATURATED: (20, 150),
    ArtefactKind.DEBRIS: (20, 160),
    ArtefactKind.PIGMENT: (25, 150),
}


def random_artefact(rng: np.random.Generator, kind: ArtefactKind, side_um: float) -> ArtefactSpec:
    """Draw place, size, direction and strength of one artefact.

    Parameters
    ----------
    rng : Generator
        Advanced.
    kind : ArtefactKind
    side_um : float
        Side of the image; round artefacts stay below half of it.
    """
    low, high = _SIZES_UM[kind]
    # Lines that cut off a part of the image enter it near a border.
    margin = 0.05 if kind is ArtefactKind.COVERSLIP_EDGE else 0.0
    x, y = rng.uniform(margin, 1 - margin, 2)
    if kind is ArtefactKind.COVERSLIP_EDGE and rng.random() < 0.7:
        x = 0.75 + 0.2 * rng.random()
    return ArtefactSpec(
        kind,
        round(float(x), 4),
        round(float(y), 4),
        size_um=min(_drawn(rng, low, high, log=True), 0.5 * side_um),
        angle_rad=_drawn(rng, -0.6, 0.6) if kind is ArtefactKind.COVERSLIP_EDGE else _drawn(rng, 0, 3.1416),
        strength=_drawn(rng, 0.5, 1.5),
        variant=int(rng.integers(20)),
    )
