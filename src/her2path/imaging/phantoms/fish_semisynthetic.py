"""Semi-synthetic FISH: known signals placed into the nuclei of a real DNA-stain image.

Shape, texture, crowding and brightness of the nuclei are real; only the probe channels are made.  A
figure measured on such an image must say so: no public HER2/CEP17 set with counts exists.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from her2path.imaging.phantoms.fish import FishPhantom
from her2path.imaging.phantoms.fish_account import write_down
from her2path.imaging.phantoms.fish_layout import Layout, NucleusShape
from her2path.imaging.phantoms.fish_optics import add_spots, expose, warp_channel
from her2path.imaging.phantoms.fish_probes import NucleusCopies, place_copies
from her2path.imaging.phantoms.fish_scene import CEP17, DAPI, HER2
from her2path.imaging.phantoms.fish_spec import FishPhantomSpec
from her2path.imaging.phantoms.fish_truth import NucleusKind, SignalChannel

_BRIGHT_NUCLEUS_E = 3000.0
"""Light (photoelectrons) given to the 95th percentile of the nuclear pixels."""
_FLAT_E = {HER2: 70.0, CEP17: 90.0}
"""Light of the empty field in the probe channels (photoelectrons)."""


def enlarge_nuclei(
    dapi: npt.NDArray[np.uint8] | npt.NDArray[np.uint16],
    labels: npt.NDArray[np.int32],
    *,
    diameter_um: float,
    mpp: float,
) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.int32]]:
    """Resample an image of unknown magnification until its median nucleus has a given diameter.

    Parameters
    ----------
    dapi : ndarray of uint8 or uint16, shape (M, N)
        DNA stain.
    labels : ndarray of int32, shape (M, N)
        Nuclei, 0 = none.
    diameter_um : float
        Diameter of the circle of the median nucleus's area (µm), for example 9.
    mpp : float
        Pixel size of the result (µm).

    Returns
    -------
    dapi : ndarray of uint16, shape (K, L)
        Resampled by cubic interpolation.
    labels : ndarray of int32, shape (K, L)
        Resampled by nearest neighbour.

    Raises
    ------
    ValueError
        The shapes differ, or there is no nucleus.
    """
    areas = _areas(dapi, labels)
    found_px = 2 * float(np.sqrt(np.median(areas) / np.pi))
    factor = diameter_um / mpp / found_px
    size = max(1, round(labels.shape[1] * factor)), max(1, round(labels.shape[0] * factor))
    cubic = cv2.resize(dapi.astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    near = cv2.resize(labels.astype(np.float32), size, interpolation=cv2.INTER_NEAREST_EXACT)
    return np.clip(np.rint(cubic), 0, 65535).astype(np.uint16), near.astype(np.int32)


def place_signals(
    dapi: npt.NDArray[np.uint8] | npt.NDArray[np.uint16],
    labels: npt.NDArray[np.int32],
    spec: FishPhantomSpec,
) -> FishPhantom:
    """Place HER2 and CEP17 signals into the nuclei of a real image.

    Parameters
    ----------
    dapi : ndarray of uint8 or uint16, shape (M, N)
        DNA stain at `spec.mpp`.
    labels : ndarray of int32, shape (M, N)
        Its nuclei, 0 = none.
    spec : FishPhantomSpec
        Copy numbers, optics, camera.  Size and layout are the image's; one focal plane only.

    Returns
    -------
    phantom : FishPhantom
        DAPI is the real image, stretched to the camera's range and otherwise untouched; the nuclei are
        numbered anew from 1, all taken for tumour, and none is overlapping (the labels part them).

    Raises
    ------
    ValueError
        The shapes differ, there is no nucleus, or several focal planes are asked for.
    """
    _areas(dapi, labels)
    if spec.z_planes != 1:
        raise ValueError("a flat image has one focal plane; set z_planes to 1")
    height, width = labels.shape
    spec = replace(spec, height_px=height, width_px=width)
    layout = Layout(_shapes(labels), height, width, margin=0)
    probe_rng, look_rng, camera_rng = (np.random.default_rng([spec.seed, 100 + i]) for i in range(3))
    copies: list[NucleusCopies] = []
    clusters = 0
    for shape in layout.shapes:
        nucleus = place_copies(shape, spec, clusters + 1, probe_rng)
        clusters = max([clusters, *(c.cluster_id for c in nucleus.copies)])
        copies.append(nucleus)
    light = _light(dapi, labels, layout, spec, look_rng)
    for channel, plane in ((SignalChannel.HER2, HER2), (SignalChannel.CEP17, CEP17)):
        shown = tuple(c for n in copies for c in n.copies if c.channel is channel)
        light[plane] = warp_channel(light[plane], channel, spec)
        add_spots(light[plane], shown, spec, plane_um=0.0)
    planes = expose(light, spec, camera_rng)
    full = 2**spec.bit_depth - 1
    planes[DAPI] = np.rint(dapi * (full / max(1, int(dapi.max())))).astype(np.uint16)
    numbered, truth = write_down(layout, tuple(copies), (), np.zeros_like(labels, dtype=bool), spec)
    return FishPhantom(planes, numbered, truth)


def _areas(
    dapi: npt.NDArray[np.uint8] | npt.NDArray[np.uint16], labels: npt.NDArray[np.int32]
) -> npt.NDArray[np.int64]:
    """Areas (px) of the nuclei that are there; refuses what cannot be used."""
    if dapi.ndim != 2 or dapi.shape != labels.shape:
        raise ValueError(f"image {dapi.shape} and labels {labels.shape} must be one plane of one size")
    areas = np.unique(labels[labels > 0], return_counts=True)[1].astype(np.int64)
    if not len(areas):
        raise ValueError("the label image holds no nucleus")
    return areas


def _shapes(labels: npt.NDArray[np.int32]) -> tuple[NucleusShape, ...]:
    shapes = []
    for number in np.unique(labels[labels > 0]).tolist():
        rows, cols = np.nonzero(labels == number)
        top, left = int(rows.min()), int(cols.min())
        mask = np.zeros((int(rows.max()) - top + 3, int(cols.max()) - left + 3), dtype=np.uint8)
        mask[rows - top + 1, cols - left + 1] = 1
        radius = float(np.sqrt(len(rows) / np.pi))
        distance = cv2.distanceTransform(mask, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
        shapes.append(
            NucleusShape(
                nucleus_id=number,
                kind=NucleusKind.TUMOUR,
                row=float(rows.mean()) + 0.5,
                col=float(cols.mean()) + 0.5,
                top=top,
                left=left,
                depth=(distance / radius).astype(np.float32),
                radius_px=radius,
            )
        )
    return tuple(shapes)


def _light(
    dapi: npt.NDArray[np.uint8] | npt.NDArray[np.uint16],
    labels: npt.NDArray[np.int32],
    layout: Layout,
    spec: FishPhantomSpec,
    rng: np.random.Generator,
) -> npt.NDArray[np.float32]:
    """Light of the nuclei in all channels: the probe channels glow where the real stain shines."""
    base = float(np.percentile(dapi, 1))
    bright = float(np.percentile(dapi[labels > 0], 95))
    light = np.zeros((3, layout.height, layout.width), dtype=np.float32)
    light[DAPI] = np.clip(dapi - base, 0, None) * (_BRIGHT_NUCLEUS_E / max(1.0, bright - base))
    strength = np.zeros((layout.height, layout.width), dtype=np.float32)
    for shape in layout.shapes:
        drawn = float(np.exp(rng.normal(np.log(0.1), 0.6)))
        strength[shape.box][shape.mask] = min(drawn, 0.35)
    soft = cv2.GaussianBlur(strength, (0, 0), 0.5 / spec.mpp)
    for channel, share in ((HER2, 0.42), (CEP17, 1.0)):
        light[channel] = spec.background * (_FLAT_E[channel] + share * soft * light[DAPI])
    return light
