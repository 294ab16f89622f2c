"""The phantom slides of the validation: which tissue, stained how, photographed by whom.

Seeds from 770 000 to 799 999 are used nowhere else: nothing was ever trained, tuned or looked at on
them.  With ``development`` the same slides come from other seeds, for work on the methods.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from her2path.domain.ihc import Intensity, Pattern
from her2path.imaging.phantoms.ihc_detail import TissueDetail
from her2path.imaging.phantoms.ihc_random import random_spec
from her2path.imaging.phantoms.ihc_spec import SCORE_PRESETS, STYLES, ClassShare, IhcPhantomSpec

VALIDATION_SEEDS = 771_000
DEVELOPMENT_SEEDS = 571_000
SIDES_UM = (640, 680, 720)
PIXEL_SIZES = (0.5, 0.5, 0.25)
"""The finer one costs four times as much and is the easier one, so it is the rarer one."""
Group = Literal["scored", "borderline", "cytoplasm", "rerendered", "null", "invariance"]
Tissue = Literal["plain", "lifelike", "random"]
CLEAR_CYTOPLASM_OD, CLEAR_NUCLEI_OD = 0.10, 0.15
"""Most unspecific DAB on slides whose score is asked for."""
LEAST_HEMATOXYLIN = 0.4
"""Nuclei paler than this are not counterstained; the palest real core has about 0.5."""
TISSUES: tuple[Tissue, ...] = ("plain", "lifelike", "plain", "random")
"""The plain tissue of the first phantoms; lifelike tissue in the named styles; lifelike tissue in the
colours and optics of a scanner and laboratory drawn at random."""


def _mix(*rows: tuple[Intensity, Pattern, float]) -> tuple[ClassShare, ...]:
    return tuple(ClassShare(*row) for row in rows)


MIXES: Mapping[str, tuple[ClassShare, ...]] = MappingProxyType(
    {
        **SCORE_PRESETS,
        "1+ faint": _mix((Intensity.FAINT, Pattern.INCOMPLETE, 0.50)),
        "1+ lateral": _mix(
            (Intensity.WEAK, Pattern.BASOLATERAL, 0.25), (Intensity.FAINT, Pattern.INCOMPLETE, 0.15)
        ),
        "2+ weak": _mix((Intensity.WEAK, Pattern.COMPLETE, 0.45), (Intensity.FAINT, Pattern.COMPLETE, 0.15)),
        "2+ few intense": _mix(
            (Intensity.STRONG, Pattern.COMPLETE, 0.04), (Intensity.MODERATE, Pattern.COMPLETE, 0.40)
        ),
        "2+ lateral": _mix(
            (Intensity.MODERATE, Pattern.BASOLATERAL, 0.35), (Intensity.WEAK, Pattern.COMPLETE, 0.20)
        ),
        "3+ saturated": _mix((Intensity.STRONG, Pattern.COMPLETE, 0.95)),
        "3+ focal": _mix(
            (Intensity.STRONG, Pattern.COMPLETE, 0.30), (Intensity.MODERATE, Pattern.BASOLATERAL, 0.15)
        ),
    }
)
"""Mixes of classes off the 10 % cuts: the presets of the phantoms, and patterns that these lack."""


def _borderline(kind: tuple[Intensity, Pattern], share: float) -> tuple[ClassShare, ...]:
    below = {
        Intensity.STRONG: (Intensity.MODERATE, Pattern.COMPLETE, 0.30),
        Intensity.MODERATE: (Intensity.WEAK, Pattern.INCOMPLETE, 0.30),
    }.get(kind[0])
    return _mix((*kind, share), *([below] if below else []))


BORDERLINE_MIXES: Mapping[str, tuple[ClassShare, ...]] = MappingProxyType(
    {
        f"{name} at {share:.0%}": _borderline(kind, share)
        for name, kind in (
            ("3+", (Intensity.STRONG, Pattern.COMPLETE)),
            ("2+", (Intensity.MODERATE, Pattern.COMPLETE)),
            ("1+", (Intensity.WEAK, Pattern.INCOMPLETE)),
        )
        for share in (0.08, 0.12)
    }
)
"""8 and 12 % of the cells in the class on which a 10 % rule turns."""


@dataclass(frozen=True, slots=True)
class ValidationSlide:
    """One phantom slide."""

    name: str
    group: Group
    mix: str
    tissue: Tissue
    spec: IhcPhantomSpec


def scored_slides(*, development: bool, per_style: int | None = None) -> Iterator[ValidationSlide]:
    """Every mix in every style: 60 slides, half of them of lifelike tissue.

    `per_style` takes only some of the mixes, other ones for each style.
    """
    mixes = tuple(MIXES.items())
    for place, style in enumerate(STYLES):
        chosen = range(len(mixes))
        if per_style is not None:
            chosen = sorted((5 * place + 5 * step) % len(mixes) for step in range(per_style))
        for number in chosen:
            tissue = TISSUES[(place + number) % len(TISSUES)]
            slide = len(mixes) * place + number
            yield make_slide("scored", *mixes[number], style, slide, tissue, development=development)


def borderline_slides(*, development: bool, styles: int | None = None) -> Iterator[ValidationSlide]:
    """Slides at 8 and 12 %: six mixes in each style."""
    for place, style in enumerate(tuple(STYLES)[:styles]):
        for number, mix in enumerate(BORDERLINE_MIXES.items()):
            slide = 100 + len(BORDERLINE_MIXES) * place + number
            tissue = TISSUES[(place + number) % len(TISSUES)]
            yield make_slide("borderline", *mix, style, slide, tissue, development=development)


def make_slide(
    group: Group,
    mix: str,
    classes: tuple[ClassShare, ...],
    style: str,
    number: int,
    tissue: Tissue = "plain",
    *,
    development: bool,
    mpp: float | None = None,
) -> ValidationSlide:
    """Make slide `number`, from which size, architecture and (if not given) pixel size follow."""
    mpp = mpp or PIXEL_SIZES[(number + number // 12) % 3]
    side = int(SIDES_UM[number // 2 % 3] / mpp)
    seed = (DEVELOPMENT_SEEDS if development else VALIDATION_SEEDS) + number
    if tissue == "plain":
        spec = IhcPhantomSpec(
            seed=seed,
            width_px=side,
            height_px=side,
            mpp=mpp,
            style=STYLES[style],
            architecture=("solid", "glandular")[number // 2 % 2],
            patchiness=(0.75, 0.4, 0.9)[number % 3],
        )
    else:
        spec = _clear(random_spec(seed, size_px=side, mpp=mpp, artefacts=False))
        spec = spec if tissue == "random" else replace(spec, style=STYLES[style])
    spec = replace(spec, classes=classes)
    name = f"{number} {tissue} {spec.style.name} {spec.architecture} {mix} {mpp}"
    return ValidationSlide(name, group, mix, tissue, spec)


def _clear(spec: IhcPhantomSpec) -> IhcPhantomSpec:
    """Bound what would hide membranes from a person, too; such slides have a row of their own."""
    if spec.detail is None:
        return spec
    detail = replace(
        spec.detail,
        cytoplasm_dab_od=min(spec.detail.cytoplasm_dab_od, CLEAR_CYTOPLASM_OD),
        nuclear_dab_od=min(spec.detail.nuclear_dab_od, CLEAR_NUCLEI_OD),
    )
    gain = max(spec.style.hematoxylin_gain, LEAST_HEMATOXYLIN)
    return replace(spec, detail=detail, style=replace(spec.style, hematoxylin_gain=gain))


def cytoplasm_slides(*, development: bool, count: int | None = None) -> list[ValidationSlide]:
    """Ten lifelike slides whose cytoplasm stains strongly, with few stained membranes or none."""
    found = []
    mixes = ("null", "ultralow", "1+")
    for number in range(10 if count is None else count):
        mix, style = mixes[number % len(mixes)], tuple(STYLES)[number % len(STYLES)]
        tissue: Tissue = "lifelike" if number % 2 else "random"
        slide = make_slide("cytoplasm", mix, MIXES[mix], style, 500 + number, tissue, development=development)
        od = round(0.15 + 0.03 * number, 2)
        detail = replace(slide.spec.detail or TissueDetail(), cytoplasm_dab_od=od)
        found.append(replace(slide, spec=replace(slide.spec, detail=detail)))
    return found
