"""IHC phantoms: synthetic H-DAB images in which everything is known.

A phantom is a function of its spec: the same spec gives the same bytes.  It shows what a
measurement has to cope with (pale stain, blush, uneven membranes, out-of-focus nuclei, shared
borders); it does not show disease, and figures from phantoms never stand for accuracy on slides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from her2path.imaging.phantoms.ihc_expression import assign_expression, measure_borders, stain_contours
from her2path.imaging.phantoms.ihc_nuclei import paint_nuclei
from her2path.imaging.phantoms.ihc_spec import IhcPhantomSpec
from her2path.imaging.phantoms.ihc_stain import (
    dab_plane,
    debris_plane,
    hematoxylin_plane,
    membrane_plane,
    mixed,
    photographed,
)
from her2path.imaging.phantoms.ihc_tissue import Labels, map_cells, map_tissue
from her2path.imaging.phantoms.ihc_truth import IhcCells, IhcTruth, summarise_truth, tabulate


@dataclass(frozen=True)
class IhcPhantom:
    """An IHC phantom and its truth."""

    spec: IhcPhantomSpec
    rgb: npt.NDArray[np.uint8]
    """Shape (M, N, 3)."""
    labels: Labels
    """Shape (M, N): `cell_id` of the tumour cell at each pixel, 0 elsewhere."""
    cells: IhcCells
    truth: IhcTruth


def render_ihc(spec: IhcPhantomSpec) -> IhcPhantom:
    """Render an IHC phantom with its truth.

    Memory is about 150 bytes per pixel: render at most 4096 x 4096 at once and repeat blocks for
    more (`her2path.io.phantom_files`).

    Examples
    --------
    >>> phantom = render_ihc(IhcPhantomSpec(seed=1, width_px=256, height_px=192, mpp=0.5))
    >>> phantom.rgb.shape, phantom.rgb.dtype.name
    ((192, 256, 3), 'uint8')
    """
    tissue = map_tissue(spec)
    cells = map_cells(spec, tissue)
    expression = assign_expression(spec, cells)
    contours = stain_contours(spec, cells, expression)
    nuclei = paint_nuclei(spec, tissue, cells)
    membrane = membrane_plane(spec, contours)
    dab = dab_plane(spec, tissue, cells, expression, membrane, nuclei.cover)
    hematoxylin = hematoxylin_plane(spec, tissue, cells, nuclei)
    rgb = photographed(spec, mixed(spec, hematoxylin, dab, debris_plane(spec)))
    table = tabulate(spec.mpp, cells, expression, measure_borders(contours, cells.count), nuclei)
    return IhcPhantom(spec, rgb, cells.labels, table, summarise_truth(table, cells.labels, mpp=spec.mpp))
