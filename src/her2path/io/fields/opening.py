"""Fluorescence images: one image out of one or several files, channels told apart, z projected.

Layouts: a multi-channel OME-TIFF or ImageJ hyperstack, a plain multi-page TIFF whose channels
the sheet names, one file a channel (TIFF, NDPI, PNG), or an RGB capture (DAPI blue, HER2 orange
to red, CEP17 green).  What cannot be told safely is refused, never guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import openslide

from her2path.errors import ChannelError, UnreadableImageError, UnsuitableImageError
from her2path.io.damage import decoding, read_head
from her2path.io.documents import Channel
from her2path.io.fields.axes import refuse_mixed_axes, refuse_same_pictures
from her2path.io.fields.channels import (
    ChannelHint,
    resolve_roles,
    rgb_channels,
    role_of_emission,
    role_of_name,
)
from her2path.io.fields.planes import OpenSlidePlanes, PicturePlanes, PlaneReader
from her2path.io.fields.source import FieldSource, centre_of
from her2path.io.fields.tiff import TiffPlanes

_TIFF_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_BRIGHT_FRAC = 0.25
"""Half of all pixels of a fluorescence image are darker than this in their darkest colour; a
bright-field image is lighter even in dense tissue."""


_LOSSY = (
    "it is a colour capture compressed as JPEG, which smears the colours of signals into each other (green "
    "signals are lost); export it as PNG or TIFF without loss, or each channel as a file of its own"
)


def open_field(
    paths: Sequence[Path], *, name: str, channels: tuple[str, ...] = (), check_axes: bool = False
) -> FieldSource:
    """Open a fluorescence image.

    Parameters
    ----------
    paths : sequence of Path
        One file with all channels, or one file a channel.
    name : str
        Image id for messages.
    channels : tuple of str
        Roles from the case sheet in order (dapi, her2, cep17, other); empty = found by name or
        wavelength.
    check_axes : bool
        Look at the pictures too, whether the axes are what the file says; once an image is enough.

    Raises
    ------
    ImageNotFoundError
        A file does not exist.
    UnreadableImageError
        A file cannot be decoded, is cut short, or may not be read.
    ChannelError
        The channels cannot be told apart safely.
    PixelSizeError
        The files state different pixel sizes.
    UnsuitableImageError
        A bright-field image, a time series, a colour capture with lossy compression, files of
        different sizes.
    """
    with ExitStack() as on_failure:
        readers: list[PlaneReader] = []
        for number, path in enumerate(paths, start=1):
            # A file's own name may identify a person; its place in the sheet does not.
            place = name if len(paths) == 1 else f"{name} ({number} of {len(paths)})"
            readers.append(_open_reader(path, read_head(path, name=place), name=place))
            on_failure.callback(readers[-1].close)
        if not readers:
            raise UnreadableImageError(name, "no file is given")
        as_rgb = len(readers) == 1 and _is_rgb(readers[0])
        for reader in readers:
            _refuse_bright_field(reader, name)
        if as_rgb and readers[0].lossy:
            raise UnsuitableImageError(name, _LOSSY, code="lossy_colours")
        if check_axes and len(readers) == 1:
            refuse_mixed_axes(readers[0], name=name)
        found = _roles(readers, paths, name=name, sheet=channels, as_rgb=as_rgb)
        field = FieldSource(readers, found, name=name, as_rgb=as_rgb)
        if check_axes:
            refuse_same_pictures(field.middle, found, size_px0=field.size_px0, name=name)
        on_failure.pop_all()
        return field


def _open_reader(path: Path, head: bytes, *, name: str) -> PlaneReader:
    with decoding(name, "OpenSlide cannot tell its format"):
        vendor = openslide.OpenSlide.detect_format(str(path))
    if vendor not in (None, "generic-tiff"):
        return OpenSlidePlanes(path, name=name)
    return TiffPlanes(path, name=name) if head.startswith(_TIFF_MAGIC) else PicturePlanes(path, name=name)


def _is_rgb(reader: PlaneReader) -> bool:
    # A scanner's single channel is also written as RGB; its header names the one filter.
    one_channel = any(role_of_name(h.name) or role_of_emission(h.emission_nm or 0.0) for h in reader.hints)
    return reader.samples >= 3 and reader.channels == reader.loose == 1 and not one_channel


def _roles(
    readers: Sequence[PlaneReader],
    paths: Sequence[Path],
    *,
    name: str,
    sheet: tuple[str, ...],
    as_rgb: bool,
) -> tuple[Channel, ...]:
    if as_rgb:
        return rgb_channels(image=name, sheet=sheet)
    if len(readers) > 1:
        _check_one_channel_each(readers, name)
        hints = [
            ChannelHint(*((r.hints[0].name, r.hints[0].emission_nm) if r.hints else ("", None)), path.stem)
            for r, path in zip(readers, paths, strict=True)
        ]
        return resolve_roles(hints, image=name, sheet=sheet)
    only = readers[0]
    if only.loose > 1:
        _check_loose(only, name, sheet)
        return resolve_roles([ChannelHint()] * only.loose, image=name, sheet=sheet)
    if sheet and len(sheet) != only.channels and len(sheet) == only.z_planes:
        raise ChannelError(
            name,
            f"the sheet names {len(sheet)} channels, but the file states {only.z_planes} focus planes",
        )
    return resolve_roles(only.hints or [ChannelHint()] * only.channels, image=name, sheet=sheet)


def _check_loose(reader: PlaneReader, name: str, sheet: tuple[str, ...]) -> None:
    if reader.channels > 1 or reader.z_planes > 1:
        raise ChannelError(
            name, f"{reader.loose} pages of unknown meaning beside its channels or focus planes"
        )
    if len(sheet) != reader.loose:
        raise ChannelError(
            name, f"its {reader.loose} pages do not say whether they are channels or focus planes"
        )


def _check_one_channel_each(readers: Sequence[PlaneReader], name: str) -> None:
    if any(reader.channels > 1 or (reader.loose > 1 and reader.z_planes > 1) for reader in readers):
        raise ChannelError(name, "several files, of which one holds several channels")
    sizes = {reader.size_px0 for reader in readers}
    if len(sizes) > 1:
        listed = ", ".join(f"{w} x {h}" for w, h in sorted(sizes))
        raise UnsuitableImageError(name, f"its files differ in size ({listed} px)", code="size_mismatch")
    if len({max(reader.loose, reader.z_planes) for reader in readers}) > 1:
        raise UnsuitableImageError(
            name, "its files differ in their number of focus planes", code="size_mismatch"
        )
    if len({reader.dtype for reader in readers}) > 1:
        raise UnsuitableImageError(name, "its files differ in pixel type", code="size_mismatch")


def _refuse_bright_field(reader: PlaneReader, name: str) -> None:
    if reader.samples < 3:
        return
    centre = reader.read(0, 0, centre_of(reader.size_px0))[..., :3]
    if float(np.median(centre.min(axis=2))) > _BRIGHT_FRAC * reader.full_scale:
        raise UnsuitableImageError(
            name, "it is a bright-field image; FISH needs a fluorescence image", code="bright_field"
        )
