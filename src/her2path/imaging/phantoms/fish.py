"""FISH phantoms: fluorescence fields of nuclei with HER2 and CEP17 signals and their full truth.

The image is built in photoelectrons on a canvas larger than the field, in the order DAPI, HER2
(orange), CEP17 (green); optics and camera come last.  A single-probe phantom has no CEP17 signals,
but keeps the green channel, as autofluorescence is recorded there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from her2path.imaging.phantoms.fish_account import cover_of, field_of, write_down
from her2path.imaging.phantoms.fish_artefacts import hidden_by, render_artefacts
from her2path.imaging.phantoms.fish_autofluorescence import add_debris, add_fibres, add_hiding_light
from her2path.imaging.phantoms.fish_layout import Layout, layout_nuclei
from her2path.imaging.phantoms.fish_optics import add_haze, add_spots, expose, warp_channel
from her2path.imaging.phantoms.fish_probes import NucleusCopies, place_copies
from her2path.imaging.phantoms.fish_scene import (
    CEP17,
    HER2,
    add_nucleus,
    add_specks,
    add_surroundings,
    look_of,
    textures,
)
from her2path.imaging.phantoms.fish_spec import FishPhantomSpec, spec_for_group, stream
from her2path.imaging.phantoms.fish_tissue import prepare_tissue
from her2path.imaging.phantoms.fish_truth import FishTruth, SignalChannel, group_of

__all__ = [
    "FishPhantom",
    "FishPhantomSpec",
    "FishTruth",
    "capture_rgb",
    "group_of",
    "render_fish",
    "spec_for_group",
    "true_fish",
]


@dataclass(frozen=True, slots=True)
class FishPhantom:
    """One phantom field."""

    planes: npt.NDArray[np.uint16]
    """Counts, shape (3, M, N) or, with several focal planes, (3, Z, M, N); DAPI, HER2, CEP17."""
    labels: npt.NDArray[np.int32]
    """Nuclei, shape (M, N), 0 = none; where nuclei overlap the upper one."""
    truth: FishTruth


def render_fish(spec: FishPhantomSpec) -> FishPhantom:
    """Render a FISH field and its truth.

    Parameters
    ----------
    spec : FishPhantomSpec
        All there is to choose; the same spec gives the same bytes.

    Returns
    -------
    phantom : FishPhantom
        Camera counts, label image and truth.

    Examples
    --------
    >>> phantom = render_fish(FishPhantomSpec(width_px=128, height_px=128))
    >>> phantom.planes.shape, phantom.planes.dtype, phantom.labels.shape
    ((3, 128, 128), dtype('uint16'), (128, 128))
    """
    plan = _plan(spec)
    layout, copies = plan.layout, plan.copies
    look_rng, scene_rng, camera_rng = (stream(spec, concern) for concern in (2, 3, 4))
    noise = textures(layout, spec, look_rng)
    looks = [look_of(shape, noise, spec, look_rng) for shape in layout.shapes]
    still = plan.artefacts.copy()
    covered = cover_of(layout) > 0
    specks = add_specks(still, layout, covered, spec, scene_rng)
    specks += add_debris(still, layout, covered, spec)
    add_fibres(still, spec)
    add_surroundings(still, layout, noise, spec, scene_rng)
    field = field_of(layout, spec)
    planes = []
    for index in range(spec.z_planes):
        height_um = (index - (spec.z_planes - 1) / 2) * spec.z_step_um
        light = still.copy()
        for look in looks:
            add_nucleus(light, look, spec, plane_um=height_um)
        add_haze(light, spec)
        for channel, plane in ((SignalChannel.HER2, HER2), (SignalChannel.CEP17, CEP17)):
            shown = tuple(c for n in copies for c in n.copies if c.channel is channel)
            light[plane] = warp_channel(light[plane], channel, spec)
            add_spots(light[plane], shown, spec, plane_um=height_um)
        planes.append(expose(light[(slice(None), *field)], spec, camera_rng))
    counts = planes[0] if spec.z_planes == 1 else np.stack(planes, axis=1)
    labels, truth = write_down(layout, copies, specks, hidden_by(plan.artefacts), spec)
    return FishPhantom(counts, labels, truth)


def true_fish(spec: FishPhantomSpec) -> FishTruth:
    """State the truth of `render_fish(spec)` without rendering a pixel; specks are left out."""
    plan = _plan(spec)
    return write_down(plan.layout, plan.copies, (), hidden_by(plan.artefacts), spec)[1]


@dataclass(frozen=True, slots=True)
class _Plan:
    """Where everything lies that is counted, and what hides it."""

    layout: Layout
    copies: tuple[NucleusCopies, ...]
    artefacts: npt.NDArray[np.float32]
    """Light of red blood cells and blobs on the canvas, shape (3, M, N)."""


def _plan(spec: FishPhantomSpec) -> _Plan:
    layout = prepare_tissue(layout_nuclei(spec, stream(spec, 0)), spec)
    rng = stream(spec, 1)
    placed: list[NucleusCopies] = []
    clusters = 0
    for shape in layout.shapes:
        nucleus = place_copies(shape, spec, clusters + 1, rng)
        clusters = max([clusters, *(c.cluster_id for c in nucleus.copies)])
        placed.append(nucleus)
    artefacts = render_artefacts(layout, spec, stream(spec, 5))
    add_hiding_light(artefacts, layout, spec)
    return _Plan(layout, tuple(placed), artefacts)


def capture_rgb(planes: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint8]:
    """Render counts as the 8-bit colour picture that a capture station saves.

    Parameters
    ----------
    planes : ndarray of uint16, shape (3, M, N) or (3, Z, M, N)
        DAPI, HER2, CEP17; focal planes are merged by their maximum.

    Returns
    -------
    rgb : ndarray of uint8, shape (M, N, 3)
        HER2 in red, CEP17 in green, DAPI in blue, each stretched between its 2nd percentile (background)
        and the level that 1 pixel in 2000 exceeds.
    """
    flat = planes.max(axis=1) if planes.ndim == 4 else planes
    rgb = np.empty((*flat.shape[1:], 3), dtype=np.uint8)
    for index, colour in ((1, 0), (2, 1), (0, 2)):
        low, high = np.percentile(flat[index], (2.0, 99.95))
        stretched = (flat[index] - low) * (255.0 / max(1.0, high - low))
        rgb[..., colour] = np.clip(np.rint(stretched), 0, 255)
    return rgb
