"""The blinded page of a recount: nuclei to count, and nothing of what anybody found in them."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from her2path.domain.ish import Probe
from her2path.imaging.fish.shown_nuclei import NucleusPicture
from her2path.io.read_sheet import BLINDED, DATE, HEAD, READER, columns_of
from her2path.io.recount_documents import NOT_COUNTABLE

CHANNELS = {"her2": "HER2", "cep17": "CEP17", "dapi": "DAPI"}
"""Channels in the order of the page, with their names."""


@dataclass(frozen=True, slots=True)
class PictureOnPage:
    """One channel of a nucleus."""

    role: str
    name: str
    uri: str


@dataclass(frozen=True, slots=True)
class NucleusOnPage:
    """One nucleus as the page shows it."""

    number: int
    side_px: int
    pictures: tuple[PictureOnPage, ...]
    outline: str
    """Points of an SVG polygon."""
    bar_px: float
    """Length of 5 µm."""


@dataclass(frozen=True, slots=True)
class ReadPage:
    """All that the template of the page prints."""

    sheet_id: str
    nuclei: tuple[NucleusOnPage, ...]
    dual: bool
    reasons: tuple[str, ...]
    columns: tuple[str, ...]
    head: tuple[str, ...] = HEAD
    reader: str = READER
    date: str = DATE
    blinded: str = BLINDED


def read_page(
    sheet_id: str, pictures: Sequence[NucleusPicture], mpp: Sequence[float], probe: Probe
) -> ReadPage:
    """Prepare the page.

    Parameters
    ----------
    sheet_id : str
        The one thing that joins the page to a case; it tells a reader nothing.
    pictures : sequence of NucleusPicture
        In the order of their numbers, from 1.
    mpp : sequence of float
        Pixel size of each picture in µm.
    probe : Probe
        Which signals are counted.
    """
    nuclei = (
        NucleusOnPage(
            number=number,
            side_px=picture.side_px,
            pictures=tuple(_channels(picture)),
            outline=" ".join(f"{col + 0.5},{row + 0.5}" for col, row in picture.outline),
            bar_px=5 / size,
        )
        for number, (picture, size) in enumerate(zip(pictures, mpp, strict=True), start=1)
    )
    return ReadPage(sheet_id, tuple(nuclei), probe is Probe.DUAL, NOT_COUNTABLE, columns_of(probe))


def _channels(picture: NucleusPicture) -> Iterable[PictureOnPage]:
    for role, name in CHANNELS.items():
        if role in picture.channels:
            data = base64.b64encode(picture.channels[role]).decode()
            yield PictureOnPage(role, name, f"data:image/png;base64,{data}")
