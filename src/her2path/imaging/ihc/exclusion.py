"""Why each cell of a slide is not scored: regions first, then what it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from her2path.imaging.artefacts import ArtefactKind
from her2path.imaging.ihc.tumour import CODES, CellTraits, Exclusion, TumourChoice, choose_tumour_cells
from her2path.imaging.regions import region_reasons

_ARTEFACTS = np.array([0, *(CODES[Exclusion(kind.value)] for kind in ArtefactKind)], np.int8)
"""Code of the exclusion by the code of an artefact mask."""


def exclude_cells(
    table: Mapping[str, npt.NDArray[Any]],
    *,
    tumour: shapely.MultiPolygon | None,
    left_out: shapely.MultiPolygon | None,
    mpp: float,
    tells_tumour: bool,
) -> TumourChoice:
    """Say of every cell of a slide why it is not scored.

    Cells of control tissue get `Exclusion.CONTROL_TISSUE` where they would be scored, whether or
    not they lie within the tumour that a person drew, and the reason of any other cell where
    they would not.

    Parameters
    ----------
    table : mapping of str to ndarray, shape (n,)
        ``x_px0, y_px0`` (level-0 pixels), ``control`` (0 = tissue of the case), ``cut`` (by the
        border of the image), ``artefact`` (code of the mask where the nucleus lies, 0 = none) and
        the traits of `CellTraits`.
    tumour, left_out : MultiPolygon or None
        Regions that people drew, level-0 pixels.
    mpp : float
        Level-0 pixel size in µm.
    tells_tumour : bool
        Whether ``tumour`` of the table is a probability that a finder learnt.

    Returns
    -------
    TumourChoice
        `by_neighbourhood` is that of the case's own tissue.
    """
    x, y, control = table["x_px0"], table["y_px0"], table["control"]
    reasons = region_reasons(x, y, tumour, left_out)
    codes = np.zeros(len(x), np.int8)
    outside = (reasons == Exclusion.OUTSIDE_TUMOUR_REGION) & (control == 0)
    codes[outside] = CODES[Exclusion.OUTSIDE_TUMOUR_REGION]
    codes[reasons == Exclusion.EXCLUDED_REGION] = CODES[Exclusion.EXCLUDED_REGION]
    # What an artefact shows must not tell what the slide's nuclei usually look like.
    artefact = table["artefact"]
    spoilt = (codes == 0) & (artefact > 0)
    codes[spoilt] = _ARTEFACTS[artefact[spoilt]]
    inside = codes == 0
    own = inside & (control == 0)
    choice = choose_tumour_cells(
        _traits(table, own, mpp, tells_tumour=tells_tumour), drawn=tumour is not None
    )
    codes[own] = choice.exclusion
    for number in range(1, int(control.max(initial=0)) + 1):
        # Cell lines and tonsil are no tumour: of a control all epithelium-like cells are scored.
        own = inside & (control == number)
        codes[own] = choose_tumour_cells(_traits(table, own, mpp, tells_tumour=False)).exclusion
    codes[(codes == 0) & table["cut"]] = CODES[Exclusion.IMAGE_BORDER]
    codes[(codes == 0) & (control > 0)] = CODES[Exclusion.CONTROL_TISSUE]
    return TumourChoice(codes, choice.by_neighbourhood)


def exclude_if_drawn(
    table: Mapping[str, npt.NDArray[Any]], exclusion: npt.NDArray[np.int8], *, mpp: float, tells_tumour: bool
) -> npt.NDArray[np.int8]:
    """Say of every cell why it is not scored where a person draws tumour around it.

    Parameters
    ----------
    table : mapping of str to ndarray, shape (n,)
        As of `exclude_cells`.
    exclusion : ndarray of int8, shape (n,)
        What `exclude_cells` found.
    mpp, tells_tumour
        As of `exclude_cells`.

    Returns
    -------
    ndarray of int8, shape (n,)
        Places in `EXCLUSIONS`; 0 = it is scored there.
    """
    codes: npt.NDArray[np.int8] = _ARTEFACTS[table["artefact"]]
    by_region = np.isin(exclusion, [CODES[Exclusion.OUTSIDE_TUMOUR_REGION], CODES[Exclusion.EXCLUDED_REGION]])
    # What is usual on a slide was learnt from the cells that no region ruled out: they are asked apart.
    for asked in (~by_region & (table["control"] == 0), by_region | (table["control"] > 0)):
        some = (codes == 0) & asked
        codes[some] = choose_tumour_cells(
            _traits(table, some, mpp, tells_tumour=tells_tumour), drawn=True
        ).exclusion
    codes[(codes == 0) & table["cut"]] = CODES[Exclusion.IMAGE_BORDER]
    return codes


def _traits(
    table: Mapping[str, npt.NDArray[Any]], own: npt.NDArray[np.bool_], mpp: float, *, tells_tumour: bool
) -> CellTraits:
    return CellTraits(
        x_um=(table["x_px0"] * mpp)[own],
        y_um=(table["y_px0"] * mpp)[own],
        nucleus_area_um2=table["nucleus_area_um2"][own],
        elongation=table["elongation"][own],
        hematoxylin=table["hematoxylin"][own],
        evidence=table["evidence"][own],
        surround_od=table["surround_od"][own],
        gap_frac=table["gap_frac"][own],
        greyness=table["greyness"][own],
        tumour=table["tumour"][own] if tells_tumour else None,
    )
