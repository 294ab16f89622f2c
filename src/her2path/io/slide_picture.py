"""The picture of a slide for an export, from the view that the results hold (`view.tif`)."""

from __future__ import annotations

import imagecodecs
import numpy as np

from her2path.errors import ArtefactError
from her2path.io.files import artefact_name
from her2path.io.research_slide import MeasuredSlide
from her2path.io.slide_view_file import read_view
from her2path.io.spatialdata_store import Picture


def read_picture(found: MeasuredSlide) -> Picture | None:
    """Decode the finest level of the view of a slide.

    Returns
    -------
    Picture or None
        None for results of a version that kept no view.

    Raises
    ------
    ArtefactError
        The view is damaged, of another version or of another slide.
    """
    path = found.path("view")
    view = read_view(path) if path.is_file() else None
    if view is None or not view.levels:
        return None
    if view.slide_sha256 != found.slide.files[0].sha256:
        raise ArtefactError(artefact_name(path), "is of another image")
    level = view.levels[0]
    columns, rows = -(-level.width // level.tile), -(-level.height // level.tile)
    rgb = np.empty((rows * level.tile, columns * level.tile, 3), np.uint8)
    for place, tile in enumerate(level.tiles):
        row, column = place // columns * level.tile, place % columns * level.tile
        try:
            rgb[row : row + level.tile, column : column + level.tile] = imagecodecs.jpeg8_decode(tile)
        except (imagecodecs.Jpeg8Error, ValueError) as error:
            raise ArtefactError(artefact_name(path), "holds a tile that cannot be decoded") from error
    return Picture(np.ascontiguousarray(rgb[: level.height, : level.width]), level.downsample)
