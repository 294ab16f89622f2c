"""Which of a slide's cells are tumour cells, where no person has drawn it.

Without regions a classical method can only leave out what is plainly something else: lymphocytes
(small, round, dark, without visible cytoplasm), stroma (slender nuclei, or nuclei amid fibres and
gaps) and cells on their own.  What remains is *epithelium-like*; benign glands and in-situ
components look the same to it, so a score without drawn regions says ``automatic`` and asks for
a person's eye.  Staining plays no part in the choice: it would bend every percentage.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from her2path.imaging import regions
from her2path.imaging.artefacts import ArtefactKind
from her2path.imaging.ihc.rays import Coordinates, Floats


class Exclusion(StrEnum):
    """Why a cell is not scored."""

    OUTSIDE_TUMOUR_REGION = regions.OUTSIDE_TUMOUR_REGION
    EXCLUDED_REGION = regions.EXCLUDED_REGION
    CONTROL_TISSUE = "control_tissue"
    """A cell that is scored with the control it belongs to, not with the case."""
    IMAGE_BORDER = "image_border"
    LYMPHOCYTE = "lymphocyte"
    INDISTINCT = "indistinct"
    """Too faint beside the slide's own nuclei to be taken for one: a fold of fibres, a piece of cytoplasm."""
    DEBRIS = ArtefactKind.DEBRIS
    """Grey, not blue (red cells, dust), or within an area of debris."""
    SPINDLE = "spindle"
    """A slender nucleus: fibroblast, muscle, endothelium."""
    STROMA = "stroma"
    """Amid gaps, or outnumbered by cells of other kinds."""
    ISOLATED = "isolated"
    NOT_TUMOUR = "not_tumour"
    """A learned finder takes the nucleus for one of another kind of cell."""
    OUT_OF_FOCUS = ArtefactKind.OUT_OF_FOCUS
    """This and the following: the nucleus lies where `slide_quality` found an artefact."""
    PEN = ArtefactKind.PEN
    FOLD = ArtefactKind.FOLD
    BUBBLE = ArtefactKind.BUBBLE
    COVERSLIP_EDGE = ArtefactKind.COVERSLIP_EDGE
    SATURATED = ArtefactKind.SATURATED
    PIGMENT = ArtefactKind.PIGMENT


EXCLUSIONS: tuple[Exclusion | None, ...] = (None, *Exclusion)
"""Words by their code; code 0 = scored."""
CODES = {word: np.int8(code) for code, word in enumerate(EXCLUSIONS)}


@dataclass(frozen=True, slots=True)
class CellTraits:
    """What the choice looks at, for all cells of a slide (arrays of n)."""

    x_um: Coordinates
    y_um: Coordinates
    nucleus_area_um2: Floats
    elongation: Floats
    hematoxylin: Floats
    """Mean hematoxylin of the nucleus."""
    evidence: Floats
    """Contrast of the nucleus times the share of its outline that is seen."""
    surround_od: Floats
    """Mean density of both stains in a rim 3 µm wide around the nucleus: cytoplasm or gaps."""
    gap_frac: Floats
    """Share of that rim that is as clear as glass."""
    greyness: Floats
    """Rise of DAB over that of hematoxylin from the rim to the nucleus."""
    tumour: Floats | None = None
    """Probability of belonging to a tumour cell; None where the finder of nuclei cannot tell."""

    def __len__(self) -> int:
        return len(self.x_um)


@dataclass(frozen=True, slots=True)
class TumourCuts:
    """Cuts of the choice (µm, µm², shares)."""

    indistinct: float = 0.4
    """Evidence over the upper quartile of the slide's."""
    pale: float = 0.5
    """Hematoxylin over that of the slide's larger nuclei: gaps between brown membranes have a third of it."""
    greyness: float = 0.65
    """From here an object that is darker than what surrounds it is grey: the optics make red cells
    grey, and blue nuclei in brown cytoplasm have less DAB than their rim."""
    lymphocyte_area_um2: float = 40.0
    lymphocyte_elongation: float = 1.6
    lymphocyte_darkness: float = 1.5
    """Hematoxylin over that of the slide's larger nuclei."""
    slender: float = 2.1
    """Elongation from which a nucleus is a fibroblast's."""
    gap_frac: float = 0.35
    neighbour_um: float = 25.0
    min_neighbours: int = 3
    """Epithelium-like cells within `neighbour_um`: fewer, and a cell stands alone."""
    min_share: float = 0.5
    """Epithelium-like among all cells within `neighbour_um`."""
    tumour: float = 0.5
    """Probability from which a cell is scored where the finder of nuclei tells."""
    min_found: float = 0.10
    """Share of all cells that must prove epithelium-like by its neighbourhood for that to be a
    criterion; below it the tumour grows loosely (signet-ring cells) or the choice does not work."""
    min_found_many: float = 0.03
    """The same where at least `many` such cells are found: a few glands in much stroma."""
    many: int = 100
    """Cells on which a percentage may rest."""


@dataclass(frozen=True, slots=True)
class TumourChoice:
    """Why each cell is no tumour cell, and how far to trust that."""

    exclusion: npt.NDArray[np.int8]
    """Place in `EXCLUSIONS`, shape (n,)."""
    by_neighbourhood: bool
    """False where too few cells lie in contiguous epithelium: only plain lymphocytes and fibroblasts
    are then left out."""


def choose_tumour_cells(
    traits: CellTraits, *, drawn: bool = False, cuts: TumourCuts | None = None
) -> TumourChoice:
    """Say of each cell why it is no tumour cell.

    Parameters
    ----------
    traits : CellTraits
        All cells of the slide, or those within the drawn regions.
    drawn : bool
        A person has drawn the tumour: the neighbourhood is then no criterion.
    cuts : TumourCuts, optional

    Returns
    -------
    TumourChoice
    """
    cuts = cuts or TumourCuts()
    exclusion = np.zeros(len(traits), np.int8)
    if not len(traits):
        return TumourChoice(exclusion, by_neighbourhood=False)
    if traits.tumour is not None:
        # Who learnt the looks of all kinds of cells needs no rule of thumb beside it.
        exclusion[traits.tumour < cuts.tumour] = CODES[Exclusion.NOT_TUMOUR]
        return TumourChoice(exclusion, by_neighbourhood=not drawn)
    distinct = traits.evidence >= cuts.indistinct * np.quantile(traits.evidence, 0.75)
    large = traits.nucleus_area_um2 > cuts.lymphocyte_area_um2
    typical = distinct & large
    usual = float(np.median(traits.hematoxylin[typical if typical.any() else distinct]))
    distinct &= traits.hematoxylin >= cuts.pale * usual
    exclusion[~distinct] = CODES[Exclusion.INDISTINCT]
    grey = distinct & (traits.greyness > cuts.greyness)
    exclusion[grey] = CODES[Exclusion.DEBRIS]
    distinct &= ~grey
    if not distinct.any():
        return TumourChoice(exclusion, by_neighbourhood=False)
    lymphocyte = (
        distinct
        & ~large
        & (traits.elongation < cuts.lymphocyte_elongation)
        & (traits.hematoxylin > cuts.lymphocyte_darkness * usual)
    )
    slender = distinct & ~lymphocyte & (traits.elongation > cuts.slender)
    exclusion[lymphocyte] = CODES[Exclusion.LYMPHOCYTE]
    exclusion[slender] = CODES[Exclusion.SPINDLE]
    if drawn:
        return TumourChoice(exclusion, by_neighbourhood=False)
    like = distinct & ~lymphocyte & ~slender & (traits.gap_frac <= cuts.gap_frac)
    near, alike = _neighbours(traits, distinct, like, cuts.neighbour_um)
    alone = like & (alike < cuts.min_neighbours)
    outnumbered = like & ~alone & (alike < cuts.min_share * near)
    found = int((like & ~alone & ~outnumbered).sum())
    share = found / max(int(distinct.sum()), 1)
    if share < (cuts.min_found_many if found >= cuts.many else cuts.min_found):
        return TumourChoice(exclusion, by_neighbourhood=False)
    exclusion[(distinct & ~lymphocyte & ~slender & ~like) | outnumbered] = CODES[Exclusion.STROMA]
    exclusion[alone] = CODES[Exclusion.ISOLATED]
    return TumourChoice(exclusion, by_neighbourhood=True)


def _neighbours(
    traits: CellTraits, distinct: npt.NDArray[np.bool_], like: npt.NDArray[np.bool_], radius_um: float
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Count distinct cells, and epithelium-like cells, around each cell without itself."""
    points = np.column_stack([traits.x_um, traits.y_um])

    def around(chosen: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
        if not chosen.any():
            return np.zeros(len(points), np.intp)
        counts = cKDTree(points[chosen]).query_ball_point(points, radius_um, return_length=True)
        return np.asarray(counts - chosen, np.intp)

    return around(distinct), around(like)
