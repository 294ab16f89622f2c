"""Whether the pictures of a file are what its axes say: channels differ, focus planes hardly do.

Software writes focus planes as channels or points in time, and channels as focus planes.  A file
cannot be read safely then, and the pictures show it: focus planes of one channel are nearly the same
picture in the same units of light (concordance above 0.95 in stacks of 0.3 to 1.2 µm steps), and DAPI
and a probe never are (below 0.6; two probes whose background is alike reach 0.8).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from her2path.errors import ChannelError, UnsuitableImageError
from her2path.io.documents import Channel
from her2path.io.fields.planes import PlaneReader
from her2path.io.slides.source import WorkingBox

Picture = npt.NDArray[np.float32]

_ALIKE = 0.9
"""Concordance from which two pictures are planes of one channel."""
_UNLIKE = 0.6
"""Concordance below which they are different channels."""
_UNRELATED = 0.9
"""Correlation below which they are not one picture in two brightnesses either (planes out of focus fade)."""
_SAME = 0.999
_WINDOW_PX = 512
_PLACES = (0.1, 0.5, 0.9)
_SMOOTH_PX = 2.0


def concordance(one: Picture, other: Picture) -> float:
    """Concordance of two pictures: 1 = the same, lower for another scale, offset or content.

    References
    ----------
    .. [1] Lin, Biometrics 45:255 (1989).

    Examples
    --------
    >>> ramp = np.arange(16, dtype=np.float32).reshape(4, 4)
    >>> round(concordance(ramp, ramp), 3), round(concordance(ramp, 2 * ramp), 3)
    (1.0, 0.523)
    """
    a, b = one.astype(np.float64), other.astype(np.float64)
    spread = a.var() + b.var() + (a.mean() - b.mean()) ** 2
    return float(2 * np.mean((a - a.mean()) * (b - b.mean())) / spread) if spread > 0 else 0.0


def refuse_mixed_axes(reader: PlaneReader, *, name: str) -> None:
    """Refuse a file whose focus planes are channels, or whose channels are focus planes.

    Parameters
    ----------
    reader : PlaneReader
        One file.
    name : str
        Image id for messages.

    Raises
    ------
    UnsuitableImageError
        The pictures contradict the axes that the file states.
    """
    if reader.z_planes == 1 or reader.samples > 1 or reader.loose > 1:
        return
    box = _richest(reader, reader.z_planes // 2)
    pictures = [
        [_picture(reader.read(c, z, box)[..., 0]) for z in range(reader.z_planes)]
        for c in range(reader.channels)
    ]
    # The plane with most structure is DAPI in nearly every image; of a faint probe nothing can be told.
    channel, plane = max(
        ((c, z) for c in range(reader.channels) for z in range(reader.z_planes)),
        key=lambda place: (float(pictures[place[0]][place[1]].std()), -place[0], -place[1]),
    )
    own = pictures[channel]
    unlike = any(concordance(a, b) < _UNLIKE and _correlation(a, b) < _UNRELATED for a, b in pairwise(own))
    across = [concordance(own[plane], pictures[c][plane]) for c in range(reader.channels) if c != channel]
    if not unlike or not _stands_out(reader.read(channel, plane, box)[..., 0], own[plane]):
        return
    if not across or max(across) >= _ALIKE:
        same = f", and its {reader.channels} channels the same one, as focus planes do" if across else ""
        found = "the axes c and z seem to be exchanged"
    else:
        same, found = "", "the order of its planes is not what its header says"
    raise UnsuitableImageError(
        name,
        f"its {reader.z_planes} focus planes show different pictures, as channels do{same}: {found}; "
        "export it again with the right axes",
        code="axes",
    )


def refuse_same_pictures(
    read: Callable[[int, WorkingBox], npt.NDArray[Any]],
    channels: Sequence[Channel],
    *,
    size_px0: tuple[int, int],
    name: str,
) -> None:
    """Refuse channels of different roles that show the same picture, as focus planes do.

    Parameters
    ----------
    read : callable
        Gives one focus plane of a channel in a window, shape (height, width).
    channels : sequence of Channel
        The image's channels, their roles known.
    size_px0 : tuple of int
        Width and height of the image.
    name : str
        Image id for messages.

    Raises
    ------
    UnsuitableImageError
        DAPI and a probe show the same picture.
    ChannelError
        The probes show the very same one.
    """
    counted = [channel for channel in channels if channel.role != "other"]
    dapi = next(channel for channel in counted if channel.role == "dapi")
    box = max(
        _windows(size_px0), key=lambda window: (_spread(read(dapi.index, window)), -window.row, -window.col)
    )
    pictures = {channel.role: _picture(read(channel.index, box)) for channel in counted}
    for probe in ("her2", "cep17"):
        if probe in pictures and concordance(pictures["dapi"], pictures[probe]) >= _ALIKE:
            raise UnsuitableImageError(
                name,
                f"its channels DAPI and {probe.upper()} show the same picture; if they are focus planes of "
                "one channel, export the image again with axis z",
                code="axes",
            )
    if len(pictures) > 2 and concordance(pictures["her2"], pictures["cep17"]) >= _SAME:
        raise ChannelError(name, "its probe channels show the same picture, so the same spots")


def _correlation(one: Picture, other: Picture) -> float:
    a, b = one.astype(np.float64) - one.mean(), other.astype(np.float64) - other.mean()
    size = float(np.sqrt((a * a).mean() * (b * b).mean()))
    return float((a * b).mean()) / size if size > 0 else 0.0


def _windows(size_px0: tuple[int, int]) -> list[WorkingBox]:
    """Nine windows over an image; one that covers it where it is small."""
    width, height = (min(side, _WINDOW_PX) for side in size_px0)
    corners = {
        (int((size_px0[1] - height) * down), int((size_px0[0] - width) * right))
        for down in _PLACES
        for right in _PLACES
    }
    return [WorkingBox(row, col, height, width) for row, col in sorted(corners)]


def _richest(reader: PlaneReader, z: int) -> WorkingBox:
    def richness(box: WorkingBox) -> tuple[float, int, int]:
        spread = max(_spread(reader.read(c, z, box)[..., 0]) for c in range(reader.channels))
        return spread, -box.row, -box.col

    return max(_windows(reader.size_px0), key=richness)


def _picture(plane: npt.NDArray[Any]) -> Picture:
    """Smooth a plane, so that noise does not make like pictures unlike, and thin it out."""
    smooth = cv2.GaussianBlur(plane.astype(np.float32), (0, 0), _SMOOTH_PX)
    return np.ascontiguousarray(smooth[::4, ::4], np.float32)


def _stands_out(plane: npt.NDArray[Any], picture: Picture) -> bool:
    """Whether a picture shows more than noise, of which nothing can be told."""
    steps = np.diff(plane.astype(np.float32), axis=1)
    noise = 1.4826 * float(np.median(np.abs(steps))) / 2**0.5
    # A Gaussian of 2 pixels leaves a seventh of the noise.
    return bool(float(picture.std()) > 3 * noise / (2 * _SMOOTH_PX * np.pi**0.5))


def _spread(plane: npt.NDArray[Any]) -> float:
    return float(_picture(plane).std())
