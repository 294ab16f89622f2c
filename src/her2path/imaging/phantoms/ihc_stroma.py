"""Lifelike stroma, cytoplasm, necrosis and red cells of an IHC phantom.

*Mass* is how much matter lies at a pixel, in units of decadic OD of hematoxylin before the gain of
the style.  Matter stains, and its edges refract light: a fibre shows as a grey line with a bright
halo even on a slide without any stain.
"""

from __future__ import annotations

import cv2
import numpy as np

from her2path.imaging.phantoms.ihc_detail import TissueDetail
from her2path.imaging.phantoms.ihc_spec import IhcPhantomSpec
from her2path.imaging.phantoms.ihc_structures import Structures
from her2path.imaging.phantoms.ihc_tissue import CellMap, Labels, Mask, TissueMap, border_mask, voronoi
from her2path.imaging.phantoms.texture import (
    Field,
    band_noise,
    blurred,
    fibre_noise,
    smooth_noise,
    stream,
    warped,
)


def retracted(spec: IhcPhantomSpec, detail: TissueDetail, stroma: Mask, labels: Labels) -> Mask:
    """Stroma that is left where nests have shrunk away from it."""
    if detail.retraction_um == 0 or not labels.any():
        return stroma
    away = cv2.distanceTransform((labels == 0).astype(np.uint8), cv2.DIST_L2, 5) * np.float32(spec.mpp)
    uneven = smooth_noise(stream(spec.seed, "retraction"), spec.shape, 16 / spec.mpp)
    gap = np.float32(detail.retraction_um) * np.clip(np.float32(0.3) + np.float32(0.6) * uneven, 0, 1)
    return np.asarray(stroma & (away > gap))


def stroma_mass(spec: IhcPhantomSpec, detail: TissueDetail, tissue: TissueMap, where: Mask) -> Field:
    """Draw plates of collagen, strands between them where it is loose, holes and clefts; shape (M, N)."""
    rng = stream(spec.seed, "lifelike stroma")
    shape, mpp = spec.shape, spec.mpp
    wavy = tissue.fibre_angle + np.float32(0.5) * smooth_noise(rng, shape, 14 / mpp)
    fine = fibre_noise(rng, wavy, 0.8 / mpp, 4)
    coarse = fibre_noise(rng, wavy, 2.0 / mpp, 3)
    isotropic = smooth_noise(rng, shape, 2.3 / mpp)
    bundle = smooth_noise(rng, shape, 28 / mpp) + np.float32(0.5) * smooth_noise(rng, shape, 8 / mpp)
    cut = np.float32(np.quantile(bundle[::8, ::8], 1 - detail.looseness))
    loose = 1 / (1 + np.exp(np.float32(-3) * (bundle - cut)))
    # A section through bundles is a patchwork of plates; where it is loose, few are left.
    height = np.float32(0.8) * coarse + (np.float32(0.25) + np.float32(0.6) * loose) * isotropic
    plate = 1 / (1 + np.exp(np.float32(-4.5) * (height + np.float32(1.5) - np.float32(2.0) * loose)))
    strand = np.exp(-(((isotropic - np.float32(0.7) * coarse) / np.float32(0.30)) ** 2))
    strand *= loose * np.clip(np.float32(0.45) + np.float32(0.6) * fine, 0, 1.4)
    body = np.float32(0.050) + np.float32(0.014) * fine + np.float32(0.012) * np.tanh(2 * height)
    mass = plate * np.clip(body + np.float32(0.008) * bundle, 0.006, 0.2)
    mass += np.float32(0.065) * strand * (1 - np.float32(0.6) * plate) + np.float32(0.004)
    edge = blurred(where.astype(np.float32), 0.45 / mpp)
    return np.asarray(mass * edge, dtype=np.float32)


def cytoplasm_mass(spec: IhcPhantomSpec, detail: TissueDetail, cells: CellMap) -> tuple[Field, Field]:
    """Draw the cytoplasm's density and its texture (mean about 1, near 0 in vacuoles)."""
    rng = stream(spec.seed, "lifelike cytoplasm")
    shape, mpp = spec.shape, spec.mpp
    grains = band_noise(rng, shape, 0.35 / mpp, 1.4 / mpp)
    clouds = smooth_noise(rng, shape, 2.6 / mpp)
    coarse = np.float32(detail.granularity)
    texture = 1 + np.float32(0.34) * coarse * grains + np.float32(0.12 + 0.20 * detail.granularity) * clouds
    if detail.vacuoles > 0:
        bubbles = smooth_noise(rng, shape, 1.3 / mpp)
        rare = np.float32(2.6 - 2.0 * detail.vacuoles)
        where = smooth_noise(rng, shape, 18 / mpp)
        texture *= 1 - np.clip((bubbles + np.float32(0.6) * where - rare) * 3, 0, 0.95)
    level = rng.uniform(0.045, 0.115, cells.count + 1).astype(np.float32) * np.float32(detail.basophilia)
    level[0] = 0
    ground = blurred(level[cells.labels], 0.4 / mpp)
    if detail.gaps > 0:
        seam = blurred(border_mask(cells.labels).astype(np.float32), max(0.35 / mpp, 0.6))
        ground *= 1 - np.float32(0.9 * detail.gaps) * seam
    return np.asarray(ground * np.clip(texture, 0.02, 3), np.float32), np.clip(texture, 0.02, 3)


def necrosis_mass(spec: IhcPhantomSpec, structures: Structures) -> Field:
    """Granular debris of dead cells; shape (M, N)."""
    if not structures.necrosis.any():
        return np.zeros(spec.shape, dtype=np.float32)
    rng = stream(spec.seed, "necrosis")
    grains = band_noise(rng, spec.shape, 0.5 / spec.mpp, 2.5 / spec.mpp)
    clumps = smooth_noise(rng, spec.shape, 4 / spec.mpp)
    mass = np.clip(0.07 + 0.045 * grains + 0.035 * clumps, 0.0, 0.4)
    return np.asarray(mass * blurred(structures.necrosis.astype(np.float32), 0.8 / spec.mpp), np.float32)


def fat_mass(spec: IhcPhantomSpec, structures: Structures) -> Field:
    """Thin walls of fat cells, which are empty after processing; shape (M, N)."""
    if not structures.fat.any():
        return np.zeros(spec.shape, dtype=np.float32)
    rng = stream(spec.seed, "fat cells")
    height, width = spec.size_um
    n = max(round(height * width / 52.0**2), 2)
    seeds = np.unique((rng.random((n, 2)) * np.array(spec.shape)).astype(np.int32), axis=0)
    labels, _ = voronoi(spec.shape, seeds)
    bend = [np.float32(3.5 / spec.mpp) * smooth_noise(rng, spec.shape, 14 / spec.mpp) for _ in range(2)]
    walls = border_mask(warped(labels, bend[0], bend[1])).astype(np.float32)
    mass = np.float32(0.14) * blurred(walls, max(0.45 / spec.mpp, 0.6))
    return np.asarray(mass * structures.fat, dtype=np.float32)


def lumen_mass(spec: IhcPhantomSpec, detail: TissueDetail, lumen: Mask) -> Field:
    """Mucus in some lumens: pale clouds, strands and crumbs; shape (M, N)."""
    if detail.lumen_content == 0 or not lumen.any():
        return np.zeros(spec.shape, dtype=np.float32)
    rng = stream(spec.seed, "mucus")
    where = np.clip(smooth_noise(rng, spec.shape, 22 / spec.mpp) + np.float32(0.3), 0, 1)
    cloud = smooth_noise(rng, spec.shape, 4 / spec.mpp)
    crumbs = np.clip(band_noise(rng, spec.shape, 0.7 / spec.mpp, 3 / spec.mpp) - np.float32(1.0), 0, 2)
    strand = np.exp(-((cloud / np.float32(0.18)) ** 2))
    mass = np.float32(0.02) * np.clip(cloud, 0, 2) + np.float32(0.05) * strand + np.float32(0.07) * crumbs
    return np.asarray(np.float32(detail.lumen_content) * where * mass * lumen, dtype=np.float32)


def relief(spec: IhcPhantomSpec, detail: TissueDetail, mass: Field) -> Field:
    """Grey lines with bright halos at the edges of matter; neutral OD, may be below 0."""
    fine = mass - blurred(mass, max(0.55 / spec.mpp, 0.8))
    return np.asarray(np.clip(np.float32(detail.relief) * fine, -0.10, 0.35), dtype=np.float32)


def red_cells(spec: IhcPhantomSpec, detail: TissueDetail, tissue: TissueMap, structures: Structures) -> Field:
    """Red cells in vessels and loose in the stroma: grey rings that refract; neutral OD."""
    plane = np.zeros(spec.shape, dtype=np.float32)
    rng = stream(spec.seed, "red cells")
    height, width = spec.size_um
    loose = rng.poisson(detail.red_cells_per_mm2 * height * width * 1e-6)
    places = [(u[0] * spec.width_px, u[1] * spec.height_px, u) for u in rng.random((loose, 8))]
    for ring in structures.vessels:
        filled = rng.random() ** 1.5
        n = round(filled * (max(ring.radius_um - ring.wall_um, 0) / 3.0) ** 2)
        for u in rng.random((n, 8)):
            away = 0.7 * (ring.radius_um - ring.wall_um) * np.sqrt(u[0]) / spec.mpp
            places.append((ring.x_px + away * np.cos(6.28 * u[1]), ring.y_px + away * np.sin(6.28 * u[1]), u))
    for x, y, u in places:
        row, col = int(y), int(x)
        if not (0 <= row < spec.height_px and 0 <= col < spec.width_px):
            continue
        if tissue.tissue[row, col] and not tissue.nests[row, col] and not structures.duct_wall[row, col]:
            _stamp(plane, spec.mpp, x, y, u)
    return plane


def _stamp(
    plane: Field, mpp: float, x_px: float, y_px: float, u: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> None:
    """Add one red cell: a flat disc whose rim is dark, tilted at random."""
    radius = 2.4 + 1.0 * u[2]
    flat = 0.35 + 0.65 * u[3]
    reach = int(4.5 / mpp) + 1
    top, left = max(int(y_px) - reach, 0), max(int(x_px) - reach, 0)
    window = np.s_[top : int(y_px) + reach, left : int(x_px) + reach]
    patch = plane[window]
    rows, cols = np.ogrid[top : top + patch.shape[0], left : left + patch.shape[1]]
    dx, dy = (cols - x_px) * mpp, (rows - y_px) * mpp
    c, s = np.cos(3.14 * u[4]), np.sin(3.14 * u[4])
    away = np.hypot(dx * c + dy * s, (dy * c - dx * s) / flat)
    rim = np.exp(-(((away - radius) / 0.55) ** 2)) - 0.35 * np.exp(-(((away - radius - 0.9) / 0.6) ** 2))
    inside = np.clip((radius - away) / 0.5, 0, 1)
    plane[window] = np.maximum(patch, (0.14 + 0.22 * u[5]) * rim + (0.02 + 0.10 * u[6]) * inside)


def rim_of_tissue(spec: IhcPhantomSpec, tissue: Mask) -> Field:
    """1 at the edge towards glass, falling within about 30 µm; where stain pools and dries."""
    if tissue.all():
        return np.zeros(spec.shape, dtype=np.float32)
    away = cv2.distanceTransform(tissue.astype(np.uint8), cv2.DIST_L2, 5) * np.float32(spec.mpp)
    return np.where(tissue, np.exp(-away / np.float32(12)), np.float32(0)).astype(np.float32)
