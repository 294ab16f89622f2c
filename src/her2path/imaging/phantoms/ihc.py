"""IHC phantoms: synthetic H-DAB images in which everything is known.

A phantom is a function of its spec: the same spec gives the same bytes.  It shows what a
measurement has to cope with (pale stain, blush, uneven membranes, out-of-focus nuclei, shared
borders); it does not show disease, and figures from phantoms never stand for accuracy on slides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from her2path.imaging.phantoms.ihc_artefacts import Lens, lay_artefacts
from her2path.imaging.phantoms.ihc_expression import (
    Contours,
    assign_expression,
    measure_borders,
    stain_contours,
)
from her2path.imaging.phantoms.ihc_layout import Population, paint_nuclei
from her2path.imaging.phantoms.ihc_lifelike import Epithelium, lifelike_planes, line_ducts
from her2path.imaging.phantoms.ihc_nuclei import CellKind
from her2path.imaging.phantoms.ihc_spec import IhcPhantomSpec, StainStyle
from her2path.imaging.phantoms.ihc_stain import (
    dab_plane,
    hematoxylin_plane,
    membrane_plane,
    mixed,
    photographed,
)
from her2path.imaging.phantoms.ihc_structures import place_structures
from her2path.imaging.phantoms.ihc_tissue import Labels, map_cells, map_tissue
from her2path.imaging.phantoms.ihc_truth import IhcCells, IhcTruth, summarise_truth, tabulate
from her2path.imaging.phantoms.texture import Field, blurred


@dataclass(frozen=True)
class IhcScene:
    """What lies on the glass, before any light; planes have shape (M, N)."""

    spec: IhcPhantomSpec
    hematoxylin: Field
    """Decadic OD along the unit vector of the stain, like `dab`."""
    dab: Field
    neutral: Field
    """Decadic OD of grey matter, alike in the three channels."""
    membrane: Field
    """The part of `dab` that lies on membranes."""
    contours: Contours
    """What the tumour cells express on their contours, and what these show."""
    ink: npt.NDArray[np.float32] | None
    """Shape (M, N, 3): decadic OD of ink, dust, pigment and refraction; None without artefacts."""
    lenses: tuple[Lens, ...]
    """Regions out of focus."""
    artefacts: npt.NDArray[np.uint8]
    """Code of `ArtefactKind` at each pixel, 0 = none."""
    labels: Labels
    """`cell_id` of the tumour cell at each pixel, 0 elsewhere."""
    nuclei: Labels
    """Nucleus at each pixel, from 1; 0 = none.  Where two overlap, the upper one."""
    nucleus_kind: npt.NDArray[np.int8]
    """Kind of each nucleus as its place in `CellKind`, shape (n + 1,); entry 0 is unused."""
    nucleus_cell: npt.NDArray[np.int32]
    """`cell_id` of the tumour cell of each nucleus, 0 for other kinds, shape (n + 1,)."""
    cells: IhcCells
    truth: IhcTruth


@dataclass(frozen=True)
class IhcPhantom:
    """An IHC phantom: its picture, and the scene with its truth."""

    rgb: npt.NDArray[np.uint8]
    """Shape (M, N, 3)."""
    scene: IhcScene

    @property
    def spec(self) -> IhcPhantomSpec:
        """What the phantom was asked to show."""
        return self.scene.spec

    @property
    def labels(self) -> Labels:
        """Shape (M, N): `cell_id` of the tumour cell at each pixel, 0 elsewhere."""
        return self.scene.labels

    @property
    def cells(self) -> IhcCells:
        """All cells, tumour cells first."""
        return self.scene.cells

    @property
    def truth(self) -> IhcTruth:
        """What a perfect reader would tally."""
        return self.scene.truth


def compose_ihc(spec: IhcPhantomSpec) -> IhcScene:
    """Lay out tissue, cells and stain.

    Memory is about 150 bytes per pixel: compose at most 4096 x 4096 at once and repeat blocks for
    more (`her2path.io.phantom_files`).
    """
    structures = None if spec.detail is None else place_structures(spec)
    tissue = map_tissue(spec, without=None if structures is None else structures.keep_off)
    cells = map_cells(spec, tissue)
    expression = assign_expression(spec, cells)
    contours = stain_contours(spec, cells, expression)
    tumour = Epithelium(spec, cells, expression, contours)
    benign = None if structures is None else line_ducts(spec, tissue, structures)
    populations = [Population(spec, cells, CellKind.TUMOUR)]
    if benign is not None:
        populations.append(Population(benign.spec, benign.cells, CellKind.BENIGN))
    nuclei = paint_nuclei(spec, tissue, tuple(populations), structures)
    if structures is None:
        membrane = membrane_plane(spec, contours)
        hematoxylin = hematoxylin_plane(spec, tissue, cells, nuclei)
        dab = dab_plane(spec, tissue, cells, expression, membrane, nuclei.cover)
        neutral = np.zeros(spec.shape, dtype=np.float32)
    else:
        hematoxylin, dab, neutral, membrane = lifelike_planes(tissue, structures, tumour, benign, nuclei)
    overlay = lay_artefacts(spec, hematoxylin, dab)
    table = tabulate(spec.mpp, cells, expression, measure_borders(contours, cells.count), nuclei)
    kinds = tuple(CellKind)
    painted = [nucleus for nucleus, _ in nuclei.painted]
    return IhcScene(
        spec=spec,
        hematoxylin=overlay.hematoxylin,
        dab=overlay.dab,
        neutral=neutral,
        membrane=membrane,
        contours=contours,
        ink=overlay.ink if spec.artefacts else None,
        lenses=tuple(overlay.lenses),
        artefacts=overlay.mask,
        labels=cells.labels,
        nuclei=nuclei.labels,
        nucleus_kind=np.array([0, *(kinds.index(nucleus.kind) for nucleus in painted)], np.int8),
        nucleus_cell=np.array([0, *(nucleus.cell for nucleus in painted)], np.int32),
        cells=table,
        truth=summarise_truth(table, cells.labels, mpp=spec.mpp),
    )


def photograph(
    scene: IhcScene, style: StainStyle | None = None, *, seed: int | None = None
) -> npt.NDArray[np.uint8]:
    """Photograph a scene with the colours and optics of a style.

    Parameters
    ----------
    scene : IhcScene
    style : StainStyle, optional
        Another one than the scene was made for changes vectors, white, optics and compression; the
        densities (gain, blush, haze) stay those of the scene.
    seed : int, optional
        Of the sensor's noise; the scene's own by default.

    Returns
    -------
    rgb : ndarray of uint8, shape (M, N, 3)
    """
    chosen = style or scene.spec.style
    light = mixed(chosen, scene.hematoxylin, scene.dab, scene.neutral)
    if scene.ink is not None:
        light *= np.exp(np.float32(-np.log(10)) * scene.ink)
    for lens in scene.lenses:
        soft = blurred(light, lens.sigma_um / scene.spec.mpp)
        light += lens.weight[..., None] * (soft - light)
    return photographed(
        light, chosen, mpp=scene.spec.mpp, sensor_seed=scene.spec.seed if seed is None else seed
    )


def render_ihc(spec: IhcPhantomSpec) -> IhcPhantom:
    """Render an IHC phantom with its truth.

    Examples
    --------
    >>> phantom = render_ihc(IhcPhantomSpec(seed=1, width_px=256, height_px=192, mpp=0.5))
    >>> phantom.rgb.shape, phantom.rgb.dtype.name
    ((192, 256, 3), 'uint8')
    """
    scene = compose_ihc(spec)
    return IhcPhantom(photograph(scene), scene)
