"""Rendering of an IHC phantom: densities of both stains, Beer-Lambert mixing, optics, sensor."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from her2path.imaging.phantoms.ihc_detail import TissueDetail
from her2path.imaging.phantoms.ihc_expression import Contours, Expression, nearest_pieces
from her2path.imaging.phantoms.ihc_nuclei import NucleiCanvas
from her2path.imaging.phantoms.ihc_spec import IhcPhantomSpec, StainStyle
from her2path.imaging.phantoms.ihc_tissue import CellMap, Mask, TissueMap
from her2path.imaging.phantoms.texture import (
    Field,
    band_noise,
    blurred,
    fibre_noise,
    smooth_noise,
    stream,
)

Rgb = npt.NDArray[np.uint8]


def membrane_plane(spec: IhcPhantomSpec, contours: Contours) -> Field:
    """Spread the contour's DAB over the width of a membrane; shape (M, N), decadic OD."""
    if not len(contours.flat):
        return np.zeros(spec.shape, dtype=np.float32)
    distance, piece = nearest_pieces(spec.shape, contours)
    shown = contours.shown_od.astype(np.float32)
    # Membranes cut obliquely look broader.
    wander = smooth_noise(stream(spec.seed, "oblique"), spec.shape, 5 / spec.mpp)
    sigma = np.clip(np.float32(0.40) * np.exp(np.float32(0.22) * wander), 0.28, 0.75) / np.float32(spec.mpp)
    if spec.detail is not None:
        smear = _smear(spec, spec.detail)
        sigma += np.float32(1.0 / spec.mpp) * smear
        shown *= 1 - np.float32(0.3) * smear.ravel()[contours.flat]
    # The border runs between two contour pixels, half a pixel from either centre.
    profile = np.exp(-0.5 * ((distance + np.float32(0.4)) / sigma) ** 2)
    grain = smooth_noise(stream(spec.seed, "granules"), spec.shape, 0.22 / spec.mpp)
    # Pixels larger than a granule average over several.
    contrast = np.float32(0.24 * min(1.0, 0.25 / spec.mpp))
    granular = np.clip(1 + contrast * grain, 0.3, 1.8)
    return np.asarray(shown[piece] * profile * granular, dtype=np.float32)


def _smear(spec: IhcPhantomSpec, detail: TissueDetail) -> Field:
    """How obliquely membranes are cut, 0 to 1; the detail's share of the image is above 0."""
    if detail.oblique == 0:
        return np.zeros(spec.shape, dtype=np.float32)
    field = smooth_noise(stream(spec.seed, "smear"), spec.shape, 3.5 / spec.mpp)
    cut = np.float32(np.quantile(field[::4, ::4], 1 - detail.oblique))
    return np.asarray(np.clip((field - cut) * np.float32(1.2), 0, 1), dtype=np.float32)


def cytoplasm_texture(spec: IhcPhantomSpec) -> Field:
    """Draw the grain of the cytoplasm, which both stains follow; mean about 1."""
    rng = stream(spec.seed, "cytoplasm")
    grains = band_noise(rng, spec.shape, 0.40 / spec.mpp, 1.6 / spec.mpp)
    clouds = smooth_noise(rng, spec.shape, 3.5 / spec.mpp)
    return np.clip(1 + np.float32(0.24) * grains + np.float32(0.20) * clouds, 0.1, 2.5)


def dab_plane(
    spec: IhcPhantomSpec,
    tissue: TissueMap,
    cells: CellMap,
    expression: Expression,
    membrane: Field,
    cover: Field,
) -> Field:
    """Add blush of the cytoplasm and haze of all tissue to the membranes; decadic OD."""
    rng = stream(spec.seed, "blush")
    level = spec.style.blush_od * rng.uniform(0.5, 1.5, cells.count + 1) + 0.13 * expression.membrane_od
    level[0] = 0
    blush = blurred(level.astype(np.float32)[cells.labels], 0.4 / spec.mpp)
    haze = np.where(tissue.tissue & ~tissue.lumen, np.float32(spec.style.haze_od), np.float32(0))
    # A nucleus displaces cytoplasm, but some lies above and below it.
    under = (blush + haze) * cytoplasm_texture(spec) * (1 - np.float32(0.6) * cover)
    return np.asarray(under + membrane, dtype=np.float32)


def lifelike_dab(
    spec: IhcPhantomSpec,
    detail: TissueDetail,
    expression: Expression,
    cells: CellMap,
    nuclei: NucleiCanvas,
    texture: Field,
) -> Field:
    """Draw DAB of the cytoplasm and of nuclei, none of it on membranes; decadic OD."""
    rng = stream(spec.seed, "lifelike dab")
    n = cells.count + 1
    level = spec.style.blush_od * rng.uniform(0.5, 1.5, n) + detail.dab_spread * expression.membrane_od
    # Granular stain differs between cells and patches of cells.
    level += detail.cytoplasm_dab_od * np.exp(0.45 * rng.standard_normal(n))
    level[0] = 0
    plane = blurred(level.astype(np.float32)[cells.labels], 0.4 / spec.mpp)
    granular = texture
    if detail.cytoplasm_dab_od > 0:
        grains = band_noise(rng, spec.shape, 0.30 / spec.mpp, 1.0 / spec.mpp)
        granular = texture * np.clip(1 + np.float32(0.6) * grains, 0.05, 3)
    # Stain above and below a nucleus is seen through it; in saturated fields it covers it.
    hidden = np.float32(0.6 * (1 - 0.75 * min(detail.dab_spread / 0.6, 1.0)))
    plane *= granular * (1 - hidden * nuclei.cover)
    if detail.nuclear_dab_od > 0:
        brown = detail.nuclear_dab_od * np.exp(0.6 * rng.standard_normal(len(nuclei.painted) + 1))
        brown[0] = 0
        tumour = np.array([False, *(item.cell > 0 for item, _ in nuclei.painted)])
        per_nucleus = np.where(tumour, brown, 0.15 * brown).astype(np.float32)
        plane += blurred(per_nucleus[nuclei.labels], 0.35 / spec.mpp) * nuclei.cover
    return np.asarray(plane, dtype=np.float32)


def hematoxylin_plane(spec: IhcPhantomSpec, tissue: TissueMap, cells: CellMap, nuclei: NucleiCanvas) -> Field:
    """Lay stroma and cytoplasm under the nuclei; decadic OD."""
    level = stream(spec.seed, "basophilia").uniform(0.06, 0.13, cells.count + 1).astype(np.float32)
    level[0] = 0
    ground = blurred(level[cells.labels], 0.5 / spec.mpp) * cytoplasm_texture(spec)
    ground += _stroma(spec, tissue, cells)
    cover = nuclei.cover
    od = ground * (1 - np.float32(0.8) * cover) + nuclei.hematoxylin * cover
    return np.asarray(od * np.float32(spec.style.hematoxylin_gain), dtype=np.float32)


def _stroma(spec: IhcPhantomSpec, tissue: TissueMap, cells: CellMap) -> Field:
    """Wavy collagen in bundles of uneven density, with clefts, fibrils and a seam around nests."""
    rng = stream(spec.seed, "stroma")
    fine = fibre_noise(rng, tissue.fibre_angle, 0.55 / spec.mpp, 6)
    coarse = fibre_noise(rng, tissue.fibre_angle, 1.8 / spec.mpp, 5)
    bundle = smooth_noise(rng, spec.shape, 22 / spec.mpp)
    dense = np.clip(np.float32(0.75) + np.float32(0.40) * bundle, 0.08, 1.5)
    # Ridges of the noise are single fibrils seen from the side.
    fibril = np.exp(-((fine / np.float32(0.22)) ** 2))
    od = dense * np.clip(0.06 + 0.030 * coarse + 0.030 * fine + 0.030 * fibril, 0.004, 0.3)
    # Loose places open into clefts of glass.
    cleft = np.clip(
        (np.float32(0.9) * coarse + np.float32(0.4) * fine + np.float32(2.6) * dense) * 1.4, 0.05, 1
    )
    stroma = tissue.tissue & ~tissue.lumen & (cells.labels == 0)
    edge = blurred(stroma.astype(np.float32), 0.6 / spec.mpp)
    return np.asarray(od * cleft * edge + _seam(spec, stroma, cells, rng), dtype=np.float32)


def _seam(spec: IhcPhantomSpec, stroma: Mask, cells: CellMap, rng: np.random.Generator) -> Field:
    """Thin basement membrane between nests and stroma, uneven and interrupted."""
    away = cv2.distanceTransform((cells.labels == 0).astype(np.uint8), cv2.DIST_L2, 5)
    # Without any cell the distance is a huge number.
    away = np.minimum(away, np.float32(20 / spec.mpp))
    uneven = np.clip(np.float32(0.5) + smooth_noise(rng, spec.shape, 9 / spec.mpp), 0, 1.6)
    line = np.exp(-(((away * np.float32(spec.mpp) - np.float32(1.2)) / np.float32(0.5)) ** 2))
    return np.asarray(np.float32(0.10) * line * uneven * stroma, dtype=np.float32)


def mixed(style: StainStyle, hematoxylin: Field, dab: Field, neutral: Field) -> npt.NDArray[np.float32]:
    """Transmit white light through stains and grey matter (Beer-Lambert); shape (M, N, 3), 0 to 255."""
    vectors = np.array([style.hematoxylin, style.dab], dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    light = np.empty((*hematoxylin.shape, 3), dtype=np.float32)
    for channel in range(3):
        od = vectors[0, channel] * hematoxylin + vectors[1, channel] * dab + neutral
        light[..., channel] = np.float32(style.white[channel]) * np.exp(np.float32(-np.log(10)) * od)
    return light


def photographed(light: npt.NDArray[np.float32], style: StainStyle, *, mpp: float, sensor_seed: int) -> Rgb:
    """Blur, sharpen, add noise and compress as a scanner does; shape (M, N, 3), uint8."""
    image = blurred(light, max(style.psf_um / mpp, 0.35))
    if style.sharpen:
        soft = blurred(image, max(0.5 / mpp, 0.8))
        image = image + np.float32(style.sharpen) * (image - soft)
    rng = stream(sensor_seed, "sensor")
    # Shot noise grows with the square root of the light.
    noise = rng.standard_normal(image.shape, dtype=np.float32)
    noise = blurred(noise, 0.5) * np.float32(1.5)
    image = image + np.float32(style.noise) * noise * np.sqrt(np.clip(image, 8, 255) / np.float32(240))
    rgb = np.clip(np.rint(image), 0, 255).astype(np.uint8)
    done, data = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, style.jpeg_quality])
    if not done:
        raise ValueError("the phantom could not be compressed as JPEG")
    bgr = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), dtype=np.uint8)
    return np.ascontiguousarray(bgr[..., ::-1])
