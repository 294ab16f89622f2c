"""Planes of a lifelike IHC phantom: tissue, structures and stain put together."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from her2path.domain.ihc import Intensity, Pattern
from her2path.imaging.phantoms.ihc_detail import TissueDetail
from her2path.imaging.phantoms.ihc_expression import Contours, Expression, assign_expression, stain_contours
from her2path.imaging.phantoms.ihc_nuclei import CellKind, NucleiCanvas
from her2path.imaging.phantoms.ihc_spec import ClassShare, IhcPhantomSpec
from her2path.imaging.phantoms.ihc_stain import lifelike_dab, membrane_plane
from her2path.imaging.phantoms.ihc_stroma import (
    cytoplasm_mass,
    fat_mass,
    lumen_mass,
    necrosis_mass,
    red_cells,
    relief,
    retracted,
    rim_of_tissue,
    stroma_mass,
)
from her2path.imaging.phantoms.ihc_structures import Structures
from her2path.imaging.phantoms.ihc_tissue import CellMap, Mask, TissueMap, depth_below, map_cells
from her2path.imaging.phantoms.texture import Field, blurred, smooth_noise, stream


@dataclass(frozen=True)
class Epithelium:
    """Cells of one kind with what they express."""

    spec: IhcPhantomSpec
    cells: CellMap
    expression: Expression
    contours: Contours


def line_ducts(spec: IhcPhantomSpec, tissue: TissueMap, structures: Structures) -> Epithelium | None:
    """Fill the walls of benign ducts with small regular cells; None without ducts."""
    if spec.detail is None or not structures.ducts:
        return None
    rng = stream(spec.seed, "benign")
    # Normal ducts stain faintly on their sides at most.
    stained = float(rng.choice([0.0, 0.0, 0.3, 0.9]))
    plain = replace(
        spec.detail, nuclear_scale=0.85, pleomorphism=0.08, crowding=0.35, mitoses=0.0, vesicular=0.35
    )
    own = replace(
        spec,
        seed=int(rng.integers(2**31)),
        architecture="solid",
        cell_diameter_um=9.5,
        classes=(ClassShare(Intensity.FAINT, Pattern.BASOLATERAL, stained),) if stained else (),
        detail=plain,
    )
    wall = structures.duct_wall & tissue.tissue
    filled = structures.duct_wall | structures.hollow
    where = replace(tissue, nests=wall, lumen=structures.hollow, depth_um=depth_below(filled, spec.mpp))
    cells = map_cells(own, where)
    expression = assign_expression(own, cells)
    return Epithelium(own, cells, expression, stain_contours(own, cells, expression))


def lifelike_planes(
    tissue: TissueMap,
    structures: Structures,
    tumour: Epithelium,
    benign: Epithelium | None,
    nuclei: NucleiCanvas,
) -> tuple[Field, Field, Field, Field]:
    """Lay stroma, cytoplasm, nuclei and DAB over each other.

    Returns
    -------
    hematoxylin, dab, neutral, membrane : ndarray of float32, shape (M, N)
        Decadic OD; `membrane` is the part of `dab` on membranes, benign ones too.
    """
    spec = tumour.spec
    detail = spec.detail or TissueDetail()
    gland = np.zeros(spec.shape, bool) if benign is None else benign.cells.labels > 0
    stroma = tissue.tissue & ~tissue.lumen & ~structures.hollow & (tumour.cells.labels == 0)
    stroma = retracted(
        spec, detail, stroma & ~gland & ~structures.necrosis & ~structures.fat, tumour.cells.labels
    )
    fibres = stroma_mass(spec, detail, tissue, stroma)
    mass = fibres + necrosis_mass(spec, structures) + fat_mass(spec, structures)
    mass += lumen_mass(spec, detail, tissue.lumen) + _bodies(spec, detail, nuclei, stroma)
    dab = np.float32(detail.stroma_dab_od / 0.06) * fibres
    membrane = np.zeros(spec.shape, np.float32)
    for part in (tumour, benign):
        if part is None:
            continue
        body, texture = cytoplasm_mass(part.spec, detail, part.cells)
        lines = membrane_plane(part.spec, part.contours)
        dab += lines
        dab += lifelike_dab(part.spec, detail, part.expression, part.cells, nuclei, texture)
        membrane += lines
        mass += body
    edge = rim_of_tissue(spec, tissue.tissue) * (mass > 0.01)
    dab += np.float32(detail.edge_dab_od) * edge + np.float32(spec.style.haze_od) * np.minimum(mass / 0.06, 1)
    mass *= 1 - np.float32(0.6) * nuclei.cover
    chromatin = nuclei.hematoxylin * nuclei.cover
    # Chromatin takes up much stain for the little that it refracts.
    neutral = relief(spec, detail, mass + np.float32(0.25) * (chromatin + membrane))
    mass += chromatin
    neutral += red_cells(spec, detail, tissue, structures)
    hematoxylin = mass * np.float32(spec.style.hematoxylin_gain)
    return (
        np.asarray(hematoxylin, np.float32),
        np.asarray(dab, np.float32),
        np.asarray(neutral, np.float32),
        membrane,
    )


def _bodies(spec: IhcPhantomSpec, detail: TissueDetail, nuclei: NucleiCanvas, stroma: Mask) -> Field:
    """Cytoplasm of the cells of the stroma, a seam of about 2 µm around their nuclei."""
    kinds = [CellKind.LYMPHOCYTE, CellKind.STROMA]
    has_body = np.array([False, *(item.kind in kinds for item, _ in nuclei.painted)])
    near = blurred(has_body[nuclei.labels].astype(np.float32), 1.7 / spec.mpp)
    uneven = smooth_noise(stream(spec.seed, "bodies"), spec.shape, 2.5 / spec.mpp)
    body = np.clip((near - np.float32(0.16)) * 6 + np.float32(0.5) * uneven, 0, 1) * (near > 0.05)
    return np.asarray(np.float32(0.055 * detail.basophilia) * body * stroma, dtype=np.float32)
