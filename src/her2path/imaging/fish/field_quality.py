"""Whether a fluorescence field can be counted: focus, saturation, and whether channels hold objects.

Focus is told by widths in µm, which do not depend on brightness or camera: that of the edges of
nuclei on DAPI, and that of the spots of a probe.  Both are properties of the microscope, and a
sharp picture has the same ones on every slide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from her2path.imaging.fish.nuclei import DapiLevels, NucleusParams, measure_levels
from her2path.imaging.fish.object_widths import brightest_um, nucleus_edges, strongest_spots
from her2path.imaging.fish.quality import ChannelMeasure, estimate_noise, measure_channel
from her2path.imaging.quality import Remark
from her2path.imaging.stain_verdict import Unsuitable

Image = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

_FEWEST_SPOTS = 5
_RIM_UM = 0.5
_FEWEST_NUCLEI = 10
"""Of fewer nuclei it cannot be said whether a probe is missing or its signals are."""
_PILE_RATIO = 8.0
"""A level that many times as full as those below it is where the camera clips."""
_PILE_FEWEST = 30

_BROAD_SPOT_UM = 0.75
"""Width of spots from which neighbours merge: in focus it is 0.5 to 0.65 µm from NA 0.75 upwards."""
_NO_SPOT_UM = 1.2
"""Spots as wide as this are no signals at all, or none that could be counted."""
_NO_SPOT_NARROWEST_UM = 1.0
_BROAD_EDGE_UM = 1.9
"""Width of nuclear edges; in focus it is 1.0 to 1.6 µm."""
_SPOT_LIKE_UM = 1.2
"""What is brightest on a probe channel in focus is 0.5 to 1.1 µm wide; on DAPI 1.6 µm at the least."""
_NUCLEUS_LIKE_UM = 4.0
_NOTABLE_SATURATED = 0.02
_MOST_SATURATED_NUCLEI = 1 / 3
"""Share of nuclear area at full scale from which nuclei cannot be told from clumps."""
_MOST_SATURATED_SPOTS = 0.2
_MOST_SATURATED_PROBE = 0.05
"""Share of a probe's pixels at full scale: signals cover less than a hundredth."""


@dataclass(frozen=True, slots=True)
class ChannelState:
    """Measuring conditions of one channel of a field."""

    role: str
    measure: ChannelMeasure
    objects: int
    """Nuclei (at most 40) or spots that stand out."""
    bright_um: float | None
    """Width at half height of what is brightest, whatever the role: its narrowest quarter; None = nothing
    stands out."""
    width_um: float | None
    """DAPI: width of the edges of nuclei; else width of the spots at half height; None = no objects."""
    narrow_um: float | None
    """The same of the narrowest quarter."""
    saturated_objects_frac: float | None
    """Share of nuclear area, or of the spots, at full scale; None = no objects."""


def nuclear_mask(dapi: npt.NDArray[np.generic], *, mpp: float) -> Mask | Unsuitable:
    """Find where nuclei are on a DAPI plane, or say why there are none to be found.

    Parameters
    ----------
    dapi : ndarray of uint8, uint16 or float32, shape (M, N)
    mpp : float
        Pixel size in µm.

    Returns
    -------
    mask : ndarray of bool, shape (M, N), or Unsuitable
        Nuclei with a rim of half a micrometre.
    """
    values = dapi.astype(np.float32)
    params = NucleusParams()
    levels = measure_levels(np.ascontiguousarray(values[::2, ::2]), mpp=2 * mpp, params=params)
    if why := judge_levels(levels):
        return why
    smooth = cv2.GaussianBlur(values, (0, 0), params.smooth_um / mpp)
    rim = 2 * max(round(_RIM_UM / mpp), 1) + 1
    grown = cv2.dilate((smooth > levels.threshold).astype(np.uint8), np.ones((rim, rim), np.uint8))
    return np.asarray(grown > 0, np.bool_)


def judge_levels(levels: DapiLevels) -> Unsuitable | None:
    """Say why no nuclei can be found at these levels of DAPI; None if they can."""
    if levels.inverted:
        detail = "its DAPI channel is bright with dark objects, as in bright-field"
        return Unsuitable("bright_field", detail)
    if levels.blank:
        detail = "its DAPI channel shows nothing that stands out from the background"
        return Unsuitable("blank_field", detail)
    return None


def examine_channel(
    plane: npt.NDArray[np.generic], nuclei: Mask, *, role: str, mpp: float, full_scale: float
) -> ChannelState:
    """Measure focus, saturation, background and noise of one channel.

    Parameters
    ----------
    plane : ndarray of uint8, uint16 or float32, shape (M, N), M and N >= 16
        Pixel values.
    nuclei : ndarray of bool, shape (M, N)
        Where nuclei are; spots of a probe are looked for there.
    role : str
        ``dapi`` for nuclei; every other role is measured by its spots.
    mpp : float
        Pixel size in µm.
    full_scale : float
        Largest value that the file can hold, > 0.  Cameras of 12 bits that write 16 clip lower;
        such a level is found by its pile of pixels.
    """
    values = plane.astype(np.float32)
    level = clipping_level(plane, full_scale=full_scale)
    measure = measure_channel(plane, full_scale=level)
    if role == "dapi":
        widths = list(nucleus_edges(values, nuclei, mpp))
        inside = values[nuclei] - measure.background
        inside = inside[inside > 0.5 * np.median(inside)] if inside.size else inside
        saturated = float((inside >= level - measure.background).mean()) if inside.size else None
    else:
        spots = list(strongest_spots(values, nuclei, mpp))
        widths = [width for width, _ in spots]
        saturated = float(np.mean([top >= level for _, top in spots])) if spots else None
    return ChannelState(
        role=role,
        measure=measure,
        objects=len(widths),
        bright_um=brightest_um(values, mpp),
        width_um=float(np.median(widths)) if widths else None,
        narrow_um=float(np.percentile(widths, 25)) if widths else None,
        saturated_objects_frac=saturated if widths else None,
    )


def clipping_level(plane: npt.NDArray[np.generic], *, full_scale: float) -> float:
    """Level at which the camera clips: a pile of pixels at the highest value, else `full_scale`.

    Examples
    --------
    >>> noisy = np.random.default_rng(1).normal(2000, 500, (40, 100)).astype(np.uint16)
    >>> clipping_level(noisy, full_scale=65535.0)
    65535.0
    >>> clipping_level(np.minimum(noisy, 2500), full_scale=65535.0)
    2500.0
    """
    whole = np.issubdtype(plane.dtype, np.integer)
    top = float(plane.max())
    if whole and top >= full_scale:
        return full_scale
    floor = float(np.median(np.asarray(plane[::4, ::4], np.float32)))
    span = max((top - floor) / 64, 1.0 if whole else 1e-9)
    at_top = int(np.count_nonzero(plane == plane.max()))
    # The levels just below hold what an unclipped picture would put at the top.
    near = int(np.count_nonzero(np.asarray(plane, np.float32) >= top - span)) - at_top
    levels = span if whole else 64.0
    piled = top > floor and at_top >= _PILE_FEWEST and at_top > _PILE_RATIO * near / levels
    if piled and _is_noisy(plane, span=top - floor):
        return top
    return full_scale if whole else float("inf")


def _is_noisy(plane: npt.NDArray[np.generic], *, span: float) -> bool:
    """Whether a camera took it: a drawn picture has flat objects, whose pixels pile up unclipped."""
    step = 1.0 if np.issubdtype(plane.dtype, np.integer) else span * 1e-5
    return estimate_noise(plane.astype(np.float32), step=0.0) > 0.5 * step


def pool_states(fields: Sequence[Sequence[ChannelState]]) -> tuple[ChannelState, ...]:
    """Pool the channels of several fields: medians, of saturation the mean.

    Parameters
    ----------
    fields : sequence of sequences of ChannelState
        Per field its channels, in the same order.
    """
    return tuple(_pool(states) for states in zip(*fields, strict=True))


def _pool(states: Sequence[ChannelState]) -> ChannelState:
    if len(states) == 1:
        return states[0]
    measures = [state.measure for state in states]
    return ChannelState(
        role=states[0].role,
        measure=ChannelMeasure(
            background=float(np.median([m.background for m in measures])),
            noise=float(np.median([m.noise for m in measures])),
            saturated_frac=float(np.mean([m.saturated_frac for m in measures])),
            focus=float(np.median([m.focus for m in measures])),
        ),
        objects=sum(state.objects for state in states),
        bright_um=_pooled([state.bright_um for state in states]),
        width_um=_pooled([state.width_um for state in states]),
        narrow_um=_pooled([state.narrow_um for state in states]),
        saturated_objects_frac=_pooled([state.saturated_objects_frac for state in states]),
    )


def _pooled(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.median(known)) if known else None


def judge_channels(states: Sequence[ChannelState], *, counted: Sequence[str]) -> Unsuitable | None:
    """Say why a field cannot be counted; None if it can.

    Parameters
    ----------
    states : sequence of ChannelState
        One per channel.
    counted : sequence of str
        Roles of the probes that the assay counts.
    """
    dapi = next(state for state in states if state.role == "dapi")
    if why := _judge_identity(dapi, states):
        return why
    probes = [state for state in states if state.role in counted]
    if (dapi.saturated_objects_frac or 0.0) > _MOST_SATURATED_NUCLEI:
        share = 100 * (dapi.saturated_objects_frac or 0.0)
        return Unsuitable(
            "saturated",
            f"{share:.0f} % of the nuclei on its DAPI channel are saturated, so that nuclei cannot be told "
            "from clumps; take it again with a shorter exposure",
        )
    for probe in probes:
        if probe.measure.saturated_frac > _MOST_SATURATED_PROBE:
            share = 100 * probe.measure.saturated_frac
            return Unsuitable(
                "saturated",
                f"{share:.0f} % of its {probe.role.upper()} channel is saturated; take it again with a "
                "shorter exposure",
            )
    return _judge_focus(dapi, probes) if dapi.objects >= _FEWEST_NUCLEI else None


def _judge_focus(dapi: ChannelState, probes: Sequence[ChannelState]) -> Unsuitable | None:
    blurred = (dapi.width_um or 0.0) > _BROAD_EDGE_UM
    if blurred and all((probe.width_um or np.inf) > _NO_SPOT_UM for probe in probes):
        return Unsuitable(
            "out_of_focus",
            f"it is out of focus: the edges of its nuclei are {dapi.width_um:.1f} µm wide, and no probe "
            "shows spots of the size of signals; focus and take it again",
        )
    for probe in probes:
        if probe.objects < _FEWEST_SPOTS:
            return Unsuitable(
                "no_signals",
                f"its {probe.role.upper()} channel shows no spots (not hybridised, or a wrong channel or "
                "exposure), so nothing can be counted",
            )
    return None


def _judge_identity(dapi: ChannelState, states: Sequence[ChannelState]) -> Unsuitable | None:
    """Say if the channel called DAPI shows spots, and another one nuclei: only where both are certain."""
    if dapi.bright_um is None or dapi.bright_um > _SPOT_LIKE_UM:
        return None
    for state in states:
        if state is not dapi and (state.bright_um or 0.0) > _NUCLEUS_LIKE_UM:
            return Unsuitable(
                "channels",
                f"the channel taken for DAPI shows spots, and the one taken for {state.role.upper()} shows "
                "nuclei; correct the order in column `channels` of the case sheet",
            )
    return None


def remark_on_channels(states: Sequence[ChannelState]) -> list[Remark]:
    """List what a person should know of a field that can be counted."""
    remarks = []
    sharp = any(state.role == "cep17" and (state.width_um or np.inf) <= _BROAD_SPOT_UM for state in states)
    few = any(state.role == "dapi" and state.objects < _FEWEST_NUCLEI for state in states)
    for state in states:
        name = state.role.upper()
        share, width = state.saturated_objects_frac or 0.0, state.width_um or 0.0
        if state.role == "dapi":
            if share > _NOTABLE_SATURATED:
                text = (
                    f"{100 * share:.0f} % of the nuclear area on DAPI is saturated: clumps may look like one"
                )
                remarks.append(Remark("saturated", "warning", text))
            if width > _BROAD_EDGE_UM:
                text = f"the edges of nuclei on DAPI are {width:.1f} µm wide (in focus 1.0 to 1.6)"
                remarks.append(Remark("out_of_focus", "warning", text))
        elif state.role != "other" and not few:
            if share > _MOST_SATURATED_SPOTS:
                text = (
                    f"{100 * share:.0f} % of the brightest {name} signals are saturated: the copies of "
                    "clusters are estimated too low"
                )
                remarks.append(Remark("saturated", "warning", text))
            # Where HER2 is amplified in clusters, they stand out most: wide, but beside sharp CEP17.
            if width > _BROAD_SPOT_UM and not (state.role == "her2" and sharp):
                remarks.append(_on_broad_spots(state, name))
    return remarks


def _on_broad_spots(state: ChannelState, name: str) -> Remark:
    width = state.width_um or 0.0
    if width > _NO_SPOT_UM and (state.narrow_um or 0.0) > _NO_SPOT_NARROWEST_UM:
        text = (
            f"what stands out most in the {name} channel is {width:.1f} µm wide, signals in focus 0.5 to "
            "0.65: it may show no signals at all; look at the gallery"
        )
        return Remark("no_signals", "warning", text)
    text = f"{name} signals are {width:.2f} µm wide (in focus 0.5 to 0.65): neighbours merge, and counts fall"
    return Remark("out_of_focus", "warning", text)
