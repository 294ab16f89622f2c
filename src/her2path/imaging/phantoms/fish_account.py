"""The truth of a laid-out FISH phantom, written down nucleus by nucleus."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from her2path.domain.ish import Probe
from her2path.imaging.phantoms.fish_layout import Layout, NucleusShape
from her2path.imaging.phantoms.fish_probes import Copy, NucleusCopies
from her2path.imaging.phantoms.fish_spec import FishPhantomSpec
from her2path.imaging.phantoms.fish_truth import (
    FishTruth,
    NucleusKind,
    SignalChannel,
    TrueExclusion,
    TrueNucleus,
    TrueSignal,
    TrueSpeck,
    resolvable_count,
)

_OBSCURED_SHARE = 0.02
"""Share of a nucleus that an artefact covers at least before a reader passes the nucleus over."""


def cover_of(layout: Layout) -> npt.NDArray[np.uint8]:
    """Count the nuclei over each canvas pixel."""
    cover = np.zeros((layout.height, layout.width), dtype=np.uint8)
    for shape in layout.shapes:
        cover[shape.box] += shape.mask
    return cover


def field_of(layout: Layout, spec: FishPhantomSpec) -> tuple[slice, slice]:
    """Place of the image on the canvas."""
    start = layout.margin
    return slice(start, start + spec.height_px), slice(start, start + spec.width_px)


def write_down(
    layout: Layout,
    copies: tuple[NucleusCopies, ...],
    specks: tuple[TrueSpeck, ...],
    hidden: npt.NDArray[np.bool_],
    spec: FishPhantomSpec,
) -> tuple[npt.NDArray[np.int32], FishTruth]:
    """Write down the visible nuclei, numbered from 1, and what is known of each.

    Parameters
    ----------
    layout : Layout
        Nuclei on the canvas.
    copies : tuple of NucleusCopies
        Copies of each of them, in the same order.
    specks : tuple of TrueSpeck
        Debris, in image pixels.
    hidden : ndarray of bool, shape (canvas height, canvas width)
        Where artefacts outshine signals.
    spec : FishPhantomSpec
        Image size, pixel size, probe and merging distance.

    Returns
    -------
    labels : ndarray of int32, shape (M, N)
        Nuclei of the image; where they overlap the upper (later) one.
    truth : FishTruth
        Nuclei with any visible pixel, and the signals inside the image.
    """
    cover = cover_of(layout)
    field = field_of(layout, spec)
    labels = np.zeros((layout.height, layout.width), dtype=np.int32)
    nuclei: list[TrueNucleus] = []
    signals: list[TrueSignal] = []
    for shape, nucleus in zip(layout.shapes, copies, strict=True):
        rows, cols = np.nonzero(shape.mask)
        rows, cols = rows + shape.top, cols + shape.left
        inside = _inside(rows, field[0]) & _inside(cols, field[1])
        if not inside.any():
            continue
        number = len(nuclei) + 1
        labels[rows, cols] = number
        seen = tuple(c for c in nucleus.copies if _in_field(c, field))
        signals += [_signal(copy, number, layout.margin) for copy in seen]
        # A nucleus that touches the border's pixels may go on outside.
        within = _inside(rows, field[0], 1) & _inside(cols, field[1], 1)
        view = _View(
            number,
            x_px0=float(cols[inside].mean()) + 0.5 - layout.margin,
            y_px0=float(rows[inside].mean()) + 0.5 - layout.margin,
            area_um2=float(np.count_nonzero(inside)) * spec.mpp**2,
            overlapping=bool(np.any(cover[rows, cols] > 1)),
            cut_off=not bool(within.all()),
            obscured=bool(hidden[rows, cols].mean() >= _OBSCURED_SHARE),
        )
        nuclei.append(_nucleus(shape, view, nucleus, seen, spec))
    truth = FishTruth(spec.probe, spec.mpp, spec.signal_diameter_um, tuple(nuclei), tuple(signals), specks)
    return labels[field].copy(), truth


@dataclass(frozen=True, slots=True)
class _View:
    """How a nucleus lies in the image."""

    number: int
    x_px0: float
    y_px0: float
    area_um2: float
    overlapping: bool
    cut_off: bool
    obscured: bool


def _inside(index: npt.NDArray[np.intp], span: slice, inset: int = 0) -> npt.NDArray[np.bool_]:
    within: npt.NDArray[np.bool_] = (index >= span.start + inset) & (index < span.stop - inset)
    return within


def _in_field(copy: Copy, field: tuple[slice, slice]) -> bool:
    return all(span.start <= at < span.stop for at, span in zip(copy.centre, field, strict=True))


def _signal(copy: Copy, number: int, margin: int) -> TrueSignal:
    row, col = copy.centre
    return TrueSignal(
        nucleus_id=number,
        channel=copy.channel,
        x_px0=col - margin,
        y_px0=row - margin,
        z_um=copy.z_um,
        peak_e=copy.peak_e,
        is_cluster=copy.cluster_id > 0,
        cluster_id=copy.cluster_id,
        is_doublet=len(copy.spots) > 1,
    )


def _nucleus(
    shape: NucleusShape, view: _View, whole: NucleusCopies, seen: tuple[Copy, ...], spec: FishPhantomSpec
) -> TrueNucleus:
    her2 = tuple(c for c in seen if c.channel is SignalChannel.HER2)
    cep17 = tuple(c for c in seen if c.channel is SignalChannel.CEP17)
    dual = spec.probe is Probe.DUAL
    return TrueNucleus(
        nucleus_id=view.number,
        kind=shape.kind,
        x_px0=view.x_px0,
        y_px0=view.y_px0,
        area_um2=view.area_um2,
        overlapping=view.overlapping,
        cut_off=view.cut_off,
        obscured=view.obscured,
        her2_whole=whole.her2_whole,
        her2_copies=len(her2),
        her2_resolvable=_resolvable(her2, spec),
        her2_clusters=len({c.cluster_id for c in her2 if c.cluster_id}),
        cep17_whole=whole.cep17_whole,
        cep17_copies=len(cep17) if dual else None,
        cep17_resolvable=_resolvable(cep17, spec) if dual else None,
        exclusion=_exclusion(shape, view, her2=bool(her2), cep17=bool(cep17) or not dual),
        population=shape.population if shape.kind is NucleusKind.TUMOUR else 0,
        in_focus=not shape.lift_um,
    )


def _resolvable(copies: tuple[Copy, ...], spec: FishPhantomSpec) -> int:
    spots = [(spot, int(c.cluster_id > 0)) for c in copies for spot in c.spots]
    places = np.array([place for place, _ in spots], dtype=np.float64).reshape(-1, 2) * spec.mpp
    return resolvable_count(places, [mark for _, mark in spots], merge_um=spec.signal_diameter_um)


def _exclusion(shape: NucleusShape, view: _View, *, her2: bool, cep17: bool) -> TrueExclusion | None:
    reasons = (
        (view.cut_off, TrueExclusion.CUT_OFF),
        (view.overlapping, TrueExclusion.OVERLAPPING),
        (view.obscured, TrueExclusion.OBSCURED),
        (shape.damage is not None, TrueExclusion.DAMAGED),
        (shape.lift_um != 0, TrueExclusion.OUT_OF_FOCUS),
        (shape.kind is not NucleusKind.TUMOUR, TrueExclusion.NOT_TUMOUR),
        (not her2, TrueExclusion.NO_HER2),
        (not cep17, TrueExclusion.NO_CEP17),
    )
    return next((reason for holds, reason in reasons if holds), None)
