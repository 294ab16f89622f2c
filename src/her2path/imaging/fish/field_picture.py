"""Whole fields at a glance: which nuclei were counted, and where the amplified ones lie.

DAPI in grey with the outline of every object.  On the overview its outline says what became of it;
on the map of heterogeneity counted nuclei are filled by their own ratio or copies, in five steps that
colour-blind readers can tell apart (ColorBrewer RdYlBu), blue below the guideline's cut and yellow to
red from it on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from her2path.imaging.fish.gallery import GAP_PX, INK, MUTED, blank, text_width, write

Rgb = npt.NDArray[np.uint8]
Colour = tuple[int, int, int]

_PANEL_PX = 1180
_PAIR_PX = 800
"""Longer side of a field on the overview, and on the map, where two stand side by side."""
_TILE_PX, _SMALL_PX = 760, 560
"""The same where there are several fields."""
_MAP_PX = 320
"""Longer side of the map of a scan."""
_LEAST_WIDTH_PX = 640
"""So that the legend fits over a small field."""
_ROOM_PX, _SMALL_SCALE = 32, 0.3
"""Least height of a nucleus for words in full size, and the size of words on smaller ones."""
_BAR_UM = 50.0
_DAPI_STRENGTH = 150
"""Grey level of the brightest DAPI: outlines must stand out."""


class Fate(StrEnum):
    """What became of a DAPI object."""

    COUNTED = "counted"
    SECOND = "second population"
    """Counted, and looks like part of a second population."""
    EXCLUDED = "not counted"


_FATES: dict[Fate, tuple[Colour, int]] = {
    Fate.EXCLUDED: ((120, 120, 130), 1),
    Fate.COUNTED: ((90, 190, 255), 2),
    Fate.SECOND: ((255, 170, 40), 4),
}
"""Colour and width of outlines: the width tells them apart without colour."""
_MEMBER: tuple[Colour, int] = ((255, 255, 255), 3)
"""Outline of a second population on the map, where all colours are taken."""
_STEPS: tuple[Colour, ...] = ((44, 123, 182), (171, 217, 233), (255, 255, 191), (253, 174, 97), (215, 25, 28))


@dataclass(frozen=True, slots=True)
class Scale:
    """Steps of a quantity that nuclei are filled by."""

    title: str
    cuts: tuple[float, float, float, float]

    def colour(self, value: float) -> Colour:
        """Colour of a value; one on a cut belongs to the step above."""
        return _STEPS[sum(value >= cut for cut in self.cuts)]

    @property
    def labels(self) -> tuple[str, ...]:
        """What each step says."""
        first, *_, last = self.cuts
        middle = [f"{low:g} to <{high:g}" for low, high in zip(self.cuts[:-1], self.cuts[1:], strict=True)]
        return (f"<{first:g}", *middle, f"{last:g} or more")


RATIO = Scale("own ratio HER2 / CEP17", (1.5, 2.0, 3.0, 6.0))
COPIES = Scale("own HER2 signals", (3, 4, 6, 12))


@dataclass(frozen=True, slots=True)
class FieldView:
    """One field, small enough to be drawn."""

    name: str
    dapi: npt.NDArray[np.float32]
    """Shape (M, N)."""
    labels: npt.NDArray[np.int32]
    """Shape (M, N); 0 = background."""
    mpp: float
    """Pixel size of the view in µm."""


def view_of(
    name: str, dapi: npt.NDArray[np.float32], labels: npt.NDArray[np.int32], *, mpp: float
) -> FieldView:
    """Make a field small enough for the overview; a small field is left as it is.

    Parameters
    ----------
    name : str
        Of the field.
    dapi : ndarray of float32, shape (M, N)
    labels : ndarray of int32, shape (M, N)
    mpp : float
        Pixel size in µm.
    """
    return _shrunk(FieldView(name, dapi, labels, mpp), _PANEL_PX)


@dataclass(frozen=True, slots=True)
class Scan:
    """A scan and where its fields lie, for a map of them."""

    width_um: float
    height_um: float
    fields: Mapping[str, tuple[float, float, float, float]]
    """Left, top, width and height of each in µm, by name."""


def render_overview(views: Sequence[FieldView], fates: Mapping[int, Fate], scan: Scan | None = None) -> Rgb:
    """Draw every field with the outlines of its objects.

    Parameters
    ----------
    views : sequence of FieldView
        At least one.
    fates : mapping of int to Fate
        Of every object, by its label.
    scan : Scan or None
        Drawn above the fields; None = the field is the whole image.

    Returns
    -------
    page : ndarray of uint8, shape (H, W, 3)
    """
    columns = 1 if len(views) == 1 else 2
    small = [_shrunk(view, _PANEL_PX if columns == 1 else _TILE_PX) for view in views]
    widest = max(view.dapi.shape[1] for view in small)
    width = max(_LEAST_WIDTH_PX, columns * (widest + GAP_PX) + GAP_PX)
    entries = [(str(fate), *_FATES[fate]) for fate in (Fate.COUNTED, Fate.SECOND, Fate.EXCLUDED)]
    if Fate.SECOND not in fates.values():
        del entries[1]
    parts = [_legend_of_lines(entries, width)]
    if scan is not None:
        parts.append(_map_of(scan, width))
    pictures = []
    for view in small:
        picture = _grey(view)
        for fate in (Fate.EXCLUDED, Fate.COUNTED, Fate.SECOND):
            chosen = {label for label, found in fates.items() if found is fate}
            _outline(picture, view.labels, chosen, *_FATES[fate])
        _number(picture, view.labels, {label for label, fate in fates.items() if fate is not Fate.EXCLUDED})
        pictures.append(picture)
    for start in range(0, len(small), columns):
        row = slice(start, start + columns)
        parts += _framed([f"Field {view.name}" for view in small[row]], pictures[row], small[row], width)
    page: Rgb = np.concatenate(parts)
    return page


def render_heterogeneity(
    views: Sequence[FieldView],
    quantities: Sequence[tuple[Scale, Mapping[int, float]]],
    members: frozenset[int],
) -> Rgb:
    """Draw every field with its counted nuclei filled by a quantity, one panel for each.

    Parameters
    ----------
    views : sequence of FieldView
        At least one.
    quantities : sequence of (Scale, mapping of int to float)
        Value of every counted nucleus, by its label.
    members : frozenset of int
        Nuclei that look like a second population; outlined.

    Returns
    -------
    page : ndarray of uint8, shape (H, W, 3)
    """
    side = _PANEL_PX if len(quantities) == len(views) == 1 else _PAIR_PX if len(views) == 1 else _SMALL_PX
    small = [_shrunk(view, side) for view in views]
    widest = max(view.dapi.shape[1] for view in small)
    width = max(len(quantities) * (widest + GAP_PX) + GAP_PX, 900)
    parts = [_legend_of_steps(scale, width) for scale, _ in quantities]
    if members:
        parts.append(_legend_of_lines([("looks like a second population", *_MEMBER)], width))
    for view in small:
        pictures = []
        for scale, values in quantities:
            picture = _grey(view)
            _fill(picture, view.labels, {label: scale.colour(value) for label, value in values.items()})
            _outline(picture, view.labels, set(values), (15, 15, 20), 1)
            _outline(picture, view.labels, set(members), *_MEMBER)
            _write_title(picture, scale.title)
            pictures.append(picture)
        parts += _framed([f"Field {view.name}"], pictures, [view] * len(pictures), width)
    page: Rgb = np.concatenate(parts)
    return page


def _shrunk(view: FieldView, side: int) -> FieldView:
    if max(view.dapi.shape) <= side:
        return view
    step = side / max(view.dapi.shape)
    size = (max(1, round(view.dapi.shape[1] * step)), max(1, round(view.dapi.shape[0] * step)))
    dapi = np.asarray(cv2.resize(view.dapi, size, interpolation=cv2.INTER_AREA), np.float32)
    # OpenCV does not resize int32; the middle of each small pixel is looked up.
    rows = ((np.arange(size[1]) + 0.5) * view.dapi.shape[0] / size[1]).astype(np.int64)
    cols = ((np.arange(size[0]) + 0.5) * view.dapi.shape[1] / size[0]).astype(np.int64)
    return FieldView(view.name, dapi, view.labels[np.ix_(rows, cols)], view.mpp / step)


def _grey(view: FieldView) -> Rgb:
    black, white = (float(v) for v in np.percentile(view.dapi, (5, 99.5)))
    level = np.clip((view.dapi - black) / max(white - black, 1e-6), 0, 1) ** 0.7
    grey = (_DAPI_STRENGTH * level).astype(np.uint8)
    picture: Rgb = np.repeat(grey[..., None], 3, axis=2)
    return picture


def _outline(
    picture: Rgb, labels: npt.NDArray[np.int32], chosen: set[int], colour: Colour, width: int
) -> None:
    for _, mask, (row, col) in _objects(labels, chosen):
        contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE, offset=(col, row))
        cv2.drawContours(picture, contours, -1, colour, width, cv2.LINE_AA)


def _objects(
    labels: npt.NDArray[np.int32], chosen: set[int]
) -> list[tuple[int, npt.NDArray[np.uint8], tuple[int, int]]]:
    """Masks of the chosen objects, each in the smallest box that holds it, and its upper left corner."""
    return [
        (label, (labels[box] == label).astype(np.uint8), (box[0].start, box[1].start))
        for label, box in enumerate(ndimage.find_objects(labels), start=1)
        if box is not None and label in chosen
    ]


def _fill(picture: Rgb, labels: npt.NDArray[np.int32], colours: Mapping[int, Colour]) -> None:
    table = np.zeros((int(labels.max(initial=0)) + 1, 3), np.uint8)
    known = [label for label in colours if label < len(table)]
    for label in known:
        table[label] = colours[label]
    inside = np.isin(labels, known)
    # A breath of DAPI stays, so that overlapping or folded nuclei can still be seen.
    shade = 0.75 + 0.25 * picture[inside].astype(np.float32) / _DAPI_STRENGTH
    picture[inside] = np.clip(table[labels[inside]] * shade, 0, 255).astype(np.uint8)


def _number(picture: Rgb, labels: npt.NDArray[np.int32], chosen: set[int]) -> None:
    for label, mask, (row, col) in _objects(labels, chosen):
        words = str(label)
        middle = (col + mask.shape[1] // 2, row + mask.shape[0] // 2)
        if mask.shape[1] < text_width(words) + 12 or mask.shape[0] < _ROOM_PX:
            # Too small for words on a ground of their own: thin ones leave the nucleus to be seen.
            place = (middle[0] - text_width(words, scale=_SMALL_SCALE) // 2, middle[1] + 3)
            write(picture, words, place, (0, 0, 0), scale=_SMALL_SCALE, width=2)
            write(picture, words, place, (255, 255, 255), scale=_SMALL_SCALE)
            continue
        place = (middle[0] - text_width(words) // 2, middle[1] + 4)
        _box_in(picture, words, place)
        write(picture, words, place, INK)


def _box_in(picture: Rgb, words: str, place: tuple[int, int]) -> None:
    """Darken what lies behind words: on a bright nucleus no rim would do."""
    col, row = place
    corners = (col - 2, row - 11), (col + text_width(words) + 1, row + 3)
    cv2.rectangle(picture, *corners, (0, 0, 0), -1)


def _framed(
    headings: Sequence[str], pictures: Sequence[Rgb], views: Sequence[FieldView], width: int
) -> list[Rgb]:
    """Lay pictures side by side, with headings over them and a bar of known length in each."""
    above = blank(24, width)
    row = blank(max(picture.shape[0] for picture in pictures) + GAP_PX, width)
    left = GAP_PX
    for place, (picture, view) in enumerate(zip(pictures, views, strict=True)):
        if place < len(headings):
            write(above, headings[place], (left, 16), INK)
        _draw_bar(picture, view.mpp)
        row[: picture.shape[0], left : left + picture.shape[1]] = picture
        left += picture.shape[1] + GAP_PX
    return [above, row]


def _map_of(scan: Scan, width: int) -> Rgb:
    """Draw the outline of a scan with its fields in their places."""
    step = _MAP_PX / max(scan.width_um, scan.height_um)
    high, wide = (max(8, round(length * step)) for length in (scan.height_um, scan.width_um))
    part = blank(high + 34, width)
    words = f"Fields on the scan ({scan.width_um / 1000:.1f} x {scan.height_um / 1000:.1f} mm)"
    write(part, words, (GAP_PX, 16), INK)
    cv2.rectangle(part, (GAP_PX, 24), (GAP_PX + wide, 24 + high), MUTED, 1)
    for name, (left, top, across, down) in scan.fields.items():
        corner = GAP_PX + round(left * step), 24 + round(top * step)
        opposite = GAP_PX + round((left + across) * step), 24 + round((top + down) * step)
        cv2.rectangle(part, corner, opposite, _FATES[Fate.COUNTED][0], 1)
        write(part, name.rpartition(".")[2], (opposite[0] + 3, corner[1] + 9), INK)
    return part


def _draw_bar(picture: Rgb, mpp: float) -> None:
    long = round(_BAR_UM / mpp)
    if long + 20 > picture.shape[1] or picture.shape[0] < 40:
        return
    bottom, right = picture.shape[0] - 12, picture.shape[1] - 12
    cv2.rectangle(picture, (right - long - 2, bottom - 5), (right + 2, bottom + 1), (0, 0, 0), -1)
    cv2.rectangle(picture, (right - long, bottom - 3), (right, bottom - 1), INK, -1)
    words = f"{_BAR_UM:g} um"
    write(picture, words, (right - long, bottom - 9), (0, 0, 0), width=3)
    write(picture, words, (right - long, bottom - 9), INK)


def _write_title(picture: Rgb, words: str) -> None:
    write(picture, words, (8, 18), (0, 0, 0), width=3)
    write(picture, words, (8, 18), INK)


def _legend_of_lines(entries: Sequence[tuple[str, Colour, int]], width: int) -> Rgb:
    strip = blank(26, width)
    left = GAP_PX
    for words, colour, thick in entries:
        cv2.line(strip, (left, 13), (left + 26, 13), colour, thick, cv2.LINE_AA)
        write(strip, words, (left + 34, 17), INK)
        left += 34 + text_width(words) + 22
    return strip


def _legend_of_steps(scale: Scale, width: int) -> Rgb:
    strip = blank(26, width)
    write(strip, scale.title, (GAP_PX, 17), MUTED)
    left = GAP_PX + text_width(scale.title) + 16
    for words, colour in zip(scale.labels, _STEPS, strict=True):
        cv2.rectangle(strip, (left, 6), (left + 16, 19), colour, -1)
        write(strip, words, (left + 22, 17), INK)
        left += 22 + text_width(words) + 16
    return strip
