"""A first look at a fluorescence image: its fields, and whether they can be counted.

A camera's field, and whatever is not much larger, is taken whole.  On a scan fields are chosen on a
coarse map of DAPI and looked at in full resolution one by one; one that is out of focus, saturated or
without signals is passed over.
The image is read in windows, so that memory does not grow with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from her2path.imaging.fish.field_quality import (
    ChannelState,
    examine_channel,
    judge_channels,
    nuclear_mask,
    pool_states,
    remark_on_channels,
)
from her2path.imaging.fish.fields import (
    DapiMap,
    Field,
    FieldParams,
    choose_fields,
    find_tumour_sized,
    map_dapi,
    rank_fields,
)
from her2path.imaging.fish.quality import LEAST_SIDE_PX
from her2path.imaging.fish.windows import Window, is_scan, whole_window, window_at, windows_in
from her2path.imaging.quality import Remark
from her2path.imaging.regions import region_reasons
from her2path.imaging.stain_verdict import Unsuitable

Plane = npt.NDArray[np.generic]
Read = Callable[[int, Window], Plane]
"""Gives the pixels of a channel, by its place in the image, in a window."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """Regions that a person drew, in image pixels; None = not drawn."""

    tumour: shapely.MultiPolygon | None = None
    excluded: shapely.MultiPolygon | None = None


@dataclass(frozen=True, slots=True)
class Geometry:
    """Size of an image and of its pixels."""

    height: int
    width: int
    mpp: float
    full_scale: float
    """Largest value that the file can hold."""


@dataclass(frozen=True, slots=True)
class ChosenField:
    """A field that is counted."""

    window: Window
    area: int
    """Number of the area that it lies in, from 1."""
    nuclei: int | None
    """Tumour-sized nuclei on the coarse map; None for an image that is counted whole."""
    states: tuple[ChannelState, ...]

    @property
    def place_px0(self) -> dict[str, int]:
        """Corner and size in pixels of level 0."""
        window = self.window
        names = ("x_px0", "y_px0", "width_px0", "height_px0")
        return dict(zip(names, (window.left, window.top, window.width, window.height), strict=True))

    @property
    def dapi_edge_um(self) -> float | None:
        """Median width of the edges of its nuclei (µm)."""
        return next(state for state in self.states if state.role == "dapi").width_um


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found on an image."""

    fields: tuple[ChosenField, ...]
    states: tuple[ChannelState, ...]
    """Per channel, pooled over the fields."""
    dapi: DapiMap


def survey_image(
    read: Read,
    roles: Sequence[str],
    geometry: Geometry,
    *,
    counted: Sequence[str],
    drawn: Drawn,
    params: FieldParams,
) -> Survey | Unsuitable:
    """Choose the fields of an image and look at its channels in them.

    Parameters
    ----------
    read : callable
        Gives the pixels of a channel in a window.
    roles : sequence of str
        Roles of the channels in the order of the image.
    geometry : Geometry
    counted : sequence of str
        Roles of the probes that the assay counts.
    drawn : Drawn
        Where nuclei may be counted.
    params : FieldParams

    Returns
    -------
    survey : Survey or Unsuitable
        Unsuitable: why no field of it can be counted.
    """
    dapi = map_dapi(
        lambda window: read(list(roles).index("dapi"), window),
        height=geometry.height,
        width=geometry.width,
        mpp=geometry.mpp,
    )
    look = _Look(read, tuple(roles), geometry, tuple(counted))
    if not is_scan(geometry.height, geometry.width, mpp=geometry.mpp):
        whole, size = whole_window(geometry.height, geometry.width), (geometry.height, geometry.width)
        states = look.at_all(list(windows_in(whole, height=size[0], width=size[1], margin=0)))
        if isinstance(states, Unsuitable):
            return states
        return Survey((ChosenField(whole, 1, None, states),), states, dapi)
    looked: dict[Window, tuple[ChannelState, ...]] = {}
    refusals: list[Unsuitable] = []

    def accept(field: Field) -> bool:
        states = look.at_all([_window(field)])
        if isinstance(states, Unsuitable):
            refusals.append(states)
            return False
        looked[_window(field)] = states
        return True

    chosen = _choose(dapi, geometry, drawn, accept, params)
    fields = tuple(ChosenField(_window(f), f.area, f.nuclei, looked[_window(f)]) for f in chosen)
    if not fields:
        return _nothing(refusals, params)
    return Survey(fields, pool_states([field.states for field in fields]), dapi)


@dataclass(frozen=True, slots=True)
class _Look:
    """A look at the channels in full resolution."""

    read: Read
    roles: tuple[str, ...]
    geometry: Geometry
    counted: tuple[str, ...]

    def at_all(self, windows: Sequence[Window]) -> tuple[ChannelState, ...] | Unsuitable:
        """Pool the channels over windows, those without nuclei aside, and judge them."""
        found: list[tuple[ChannelState, ...]] = []
        empty: list[Unsuitable] = []
        for window in windows:
            if min(window.height, window.width) < LEAST_SIDE_PX:
                # What the other windows leave of a large image may be a few pixels wide.
                size = f"{window.width} x {window.height} pixels"
                empty.append(Unsuitable("no_nuclei", f"{size} cannot show a nucleus; give the whole image"))
                continue
            dapi = self.read(self.roles.index("dapi"), window)
            nuclei = nuclear_mask(dapi, mpp=self.geometry.mpp)
            if isinstance(nuclei, Unsuitable):
                empty.append(nuclei)
            else:
                found.append(self._channels(window, dapi, nuclei))
        if not found:
            return empty[0]
        states = pool_states(found)
        return judge_channels(states, counted=self.counted) or states

    def _channels(
        self, window: Window, dapi: Plane, nuclei: npt.NDArray[np.bool_]
    ) -> tuple[ChannelState, ...]:
        mpp, full_scale = self.geometry.mpp, self.geometry.full_scale
        states = []
        for index, role in enumerate(self.roles):
            plane = dapi if role == "dapi" else self.read(index, window)
            states.append(examine_channel(plane, nuclei, role=role, mpp=mpp, full_scale=full_scale))
        return tuple(states)


def remark_on_survey(survey: Survey) -> list[Remark]:
    """List what a person should know of an image that can be counted."""
    remarks = remark_on_channels(survey.states)
    areas = {field.area for field in survey.fields}
    if survey.fields[0].nuclei is not None and len(areas) == 1:
        text = (
            f"its {len(survey.fields)} fields lie in one area: no second one more than 1 mm away has enough "
            "tumour-sized nuclei in focus"
        )
        remarks.append(Remark("one_area", "warning", text))
    return remarks


def _choose(
    dapi: DapiMap,
    geometry: Geometry,
    drawn: Drawn,
    accept: Callable[[Field], bool],
    params: FieldParams,
) -> list[Field]:
    places, sharpness = find_tumour_sized(dapi)
    down, right = ((places[:, axis] + 0.5) * dapi.step for axis in (0, 1))
    keep = np.array([why is None for why in region_reasons(right, down, drawn.tumour, drawn.excluded)], bool)
    ranked = rank_fields(dapi, places[keep], sharpness[keep], params=params)
    return choose_fields(ranked, accept, mpp=geometry.mpp, params=params)


def _nothing(refusals: Sequence[Unsuitable], params: FieldParams) -> Unsuitable:
    if not refusals:
        return Unsuitable(
            "no_nuclei",
            f"no place of {params.side_um:g} µm with {params.min_nuclei} nuclei of the size of tumour nuclei "
            "was found on its DAPI channel (inside the regions, where some are drawn)",
        )
    return Unsuitable(
        refusals[0].code, f"none of its {len(refusals)} richest places can be counted: {refusals[0].detail}"
    )


def _window(field: Field) -> Window:
    return window_at(field.top, field.left, field.side, field.side)
