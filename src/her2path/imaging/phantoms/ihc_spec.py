"""What an IHC phantom is asked to show: classes of cells, stain style, architecture, artefacts.

Optical densities are decadic and refer to the coefficient of a stain's unit vector in OD space:
a DAB density of 0.9 darkens the three channels by 0.9 times the three parts of the DAB vector.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from her2path.domain.ihc import Intensity, Pattern
from her2path.imaging.phantoms.ihc_detail import ArtefactSpec, TissueDetail

MEMBRANE_OD: Mapping[Intensity, float] = MappingProxyType(
    {
        Intensity.NONE: 0.0,
        Intensity.FAINT: 0.10,
        Intensity.WEAK: 0.22,
        Intensity.MODERATE: 0.45,
        Intensity.STRONG: 0.95,
    }
)
"""DAB density of a membrane over its cytoplasm, before blur, by class (+-20 % between cells).

Chosen so that a pathologist agrees at a glance: faint is barely perceptible at 0.25 µm/px, strong
is dark brown at any magnification; each class is about twice the one below."""

INTENSITY_CUTS_OD: tuple[tuple[float, Intensity], ...] = (
    (0.65, Intensity.STRONG),
    (0.32, Intensity.MODERATE),
    (0.15, Intensity.WEAK),
    (0.05, Intensity.FAINT),
)
"""Lowest density of each class: geometric means of neighbouring entries of `MEMBRANE_OD`."""

FAINT_CUT_OD = INTENSITY_CUTS_OD[-1][0]
"""Contour above this density counts as stained."""

MEMBRANE_SHARE = 0.6
"""Share of the class density that one cell's own membrane brings to a border.

Two membranes lie on a shared border and no microscope separates them, so a border shows their
sum: 1.2 times the class density between two cells of the class, 0.6 times beside an unstained
cell or stroma, about once on the average contour of a cell in a patch of its kind."""

Architecture = Literal["solid", "glandular", "trabecular", "discohesive"]
"""Nests, glands of columnar cells, thin cords (single files), cells that have lost their cohesion."""


def intensity_of(od: float) -> Intensity:
    """Class of a membrane density by the cuts of the phantoms.

    Examples
    --------
    >>> intensity_of(0.5).value, intensity_of(0.02).value
    ('moderate', 'none')
    """
    return next((intensity for cut, intensity in INTENSITY_CUTS_OD if od >= cut), Intensity.NONE)


@dataclass(frozen=True, slots=True)
class ClassShare:
    """Share of the tumour cells that express one intensity in one pattern."""

    intensity: Intensity
    pattern: Pattern
    fraction: float

    def __post_init__(self) -> None:
        if not 0 <= self.fraction <= 1:
            raise ValueError(f"a fraction lies between 0 and 1, got {self.fraction}")
        if (self.intensity is Intensity.NONE) != (self.pattern is Pattern.NONE):
            raise ValueError(f"contradictory class {self.intensity}:{self.pattern}")


@dataclass(frozen=True, slots=True)
class StainStyle:
    """Stain vectors and optics of one laboratory and scanner."""

    name: str
    hematoxylin: tuple[float, float, float]
    """OD of R G B; scaled to unit length when used."""
    dab: tuple[float, float, float]
    white: tuple[float, float, float] = (243.0, 243.0, 245.0)
    """Blank field, 0 to 255."""
    hematoxylin_gain: float = 1.0
    blush_od: float = 0.02
    """Unspecific DAB in the cytoplasm of all tumour cells."""
    haze_od: float = 0.005
    """Unspecific DAB on all tissue."""
    psf_um: float = 0.28
    """Standard deviation of the optical blur."""
    sharpen: float = 0.6
    """Strength of the scanner's unsharp mask."""
    noise: float = 1.6
    """Standard deviation of the noise of a blank pixel, grey levels."""
    jpeg_quality: int = 85


STYLES: Mapping[str, StainStyle] = MappingProxyType(
    {
        style.name: style
        for style in (
            # Blue hematoxylin and a hard unsharp mask, like the gastro-oesophageal cores.
            StainStyle(
                "crisp", (0.72, 0.63, 0.29), (0.30, 0.55, 0.78), (242.0, 242.0, 247.0), 0.5, sharpen=1.0
            ),
            StainStyle("classic", (0.65, 0.70, 0.29), (0.27, 0.57, 0.78), hematoxylin_gain=0.9),
            StainStyle(
                "violet",
                (0.61, 0.68, 0.40),
                (0.33, 0.55, 0.77),
                (240.0, 237.0, 243.0),
                0.85,
                0.045,
                0.015,
                0.33,
                0.3,
            ),
            StainStyle(
                "blue",
                (0.80, 0.55, 0.22),
                (0.40, 0.56, 0.72),
                (236.0, 242.0, 247.0),
                1.15,
                0.015,
                0.004,
                0.26,
                0.4,
            ),
            StainStyle(
                "pale",
                (0.70, 0.64, 0.31),
                (0.26, 0.52, 0.81),
                (247.0, 245.0, 242.0),
                0.6,
                0.01,
                0.003,
                0.36,
                0.2,
            ),
        )
    }
)


@dataclass(frozen=True, slots=True)
class IhcPhantomSpec:
    """Everything that determines an IHC phantom; the same spec gives the same bytes."""

    seed: int = 0
    width_px: int = 2048
    height_px: int = 2048
    mpp: float = 0.5
    """Pixel size in µm; 0.25 and 0.5 are meant, 0.2 to 1.0 accepted."""
    classes: tuple[ClassShare, ...] = ()
    """Shares of stained tumour cells; the rest is unstained."""
    style: StainStyle = STYLES["crisp"]
    architecture: Architecture = "solid"
    tumour_fraction: float = 0.55
    """Share of the tissue that is tumour, before lumens are cut out."""
    background_fraction: float = 0.08
    """Share of the image without tissue."""
    lymphocytes_per_mm2: float = 250.0
    """In the stroma."""
    patchiness: float = 0.75
    """0 = stained cells lie at random among the others, 1 = in patches with smooth borders."""
    cell_diameter_um: float = 15.0
    island: bool = False
    """Keep the image's margin free of tissue, so that phantoms can be set side by side."""
    detail: TissueDetail | None = None
    """Lifelike tissue; None renders the plain tissue of the first phantoms, byte for byte."""
    artefacts: tuple[ArtefactSpec, ...] = ()
    """What lies on or over the tissue; recorded in the scene's mask, never in the cells' truth."""

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise ValueError(f"a seed is an integer >= 0, got {self.seed}")
        if min(self.width_px, self.height_px) < 128:
            raise ValueError("a phantom has at least 128 x 128 pixels")
        if not 0.2 <= self.mpp <= 1.0:
            raise ValueError(f"pixel size must lie within 0.2 to 1.0 µm/px, got {self.mpp}")
        if sum(share.fraction for share in self.classes) > 1 + 1e-9:
            raise ValueError("the shares of the classes sum to more than 1")
        if not 0 < self.tumour_fraction <= 1 or not 0 <= self.background_fraction < 1:
            raise ValueError("fractions must lie between 0 and 1")
        if not 0 <= self.patchiness <= 1:
            raise ValueError(f"patchiness must lie between 0 and 1, got {self.patchiness}")

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.height_px, self.width_px

    @property
    def size_um(self) -> tuple[float, float]:
        """Height and width in µm."""
        return self.height_px * self.mpp, self.width_px * self.mpp


def _shares(*rows: tuple[Intensity, Pattern, float]) -> tuple[ClassShare, ...]:
    return tuple(ClassShare(*row) for row in rows)


SCORE_PRESETS: Mapping[str, tuple[ClassShare, ...]] = MappingProxyType(
    {
        "null": (),
        "ultralow": _shares(
            (Intensity.WEAK, Pattern.INCOMPLETE, 0.04),
            (Intensity.FAINT, Pattern.INCOMPLETE, 0.03),
        ),
        "1+": _shares(
            (Intensity.WEAK, Pattern.INCOMPLETE, 0.15),
            (Intensity.FAINT, Pattern.INCOMPLETE, 0.30),
        ),
        "2+": _shares(
            (Intensity.MODERATE, Pattern.COMPLETE, 0.25),
            (Intensity.WEAK, Pattern.COMPLETE, 0.20),
            (Intensity.WEAK, Pattern.INCOMPLETE, 0.10),
            (Intensity.FAINT, Pattern.INCOMPLETE, 0.10),
        ),
        "3+": _shares(
            (Intensity.STRONG, Pattern.COMPLETE, 0.62),
            (Intensity.MODERATE, Pattern.COMPLETE, 0.13),
            (Intensity.WEAK, Pattern.INCOMPLETE, 0.10),
        ),
    }
)
"""Mixes of classes away from the 10 % cut, by the score or category that they stand for."""
