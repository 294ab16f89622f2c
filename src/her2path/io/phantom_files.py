"""Files of IHC phantoms: a tiled pyramidal TIFF of any size, and the truth beside it.

A slide larger than the rendered block repeats the block, as tissue cores repeat on an array, so
that an image of any size is written with the memory of one block.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import tifffile

from her2path.io.files import replacing, write_text

TILE_PX = 256
LEVEL_FACTOR = 4
"""Every level is four times smaller than the one before, as in Aperio slides."""
_SMALLEST_LEVEL_PX = 512
_FLAT_MAX_PX = 4096
"""A slide with longer sides needs a pyramid: without one an overview reads every pixel."""
FILE_QUALITY = 90
"""JPEG quality of the tiles of a phantom."""
_CLASSIC_TIFF_PX = 8_000_000_000
"""Above this many pixels a file may pass 4 GiB, which a classic TIFF cannot address."""

Rgb = npt.NDArray[np.uint8]
Columns = Mapping[str, npt.NDArray[np.generic]]


def write_slide(path: Path, block: Rgb, *, mpp: float, repeat: int = 1, quality: int = FILE_QUALITY) -> None:
    """Write a pyramidal TIFF that OpenSlide reads with its pixel size.

    Parameters
    ----------
    path : Path
        File to be written, whole or not at all.
    block : ndarray of uint8, shape (M, N, 3)
        The image, or the block that fills it by repetition.
    mpp : float
        Pixel size in µm; written as TIFF resolution.
    repeat : int
        The block is set side by side `repeat` times in both directions.
    quality : int
        JPEG quality of the tiles.

    Raises
    ------
    ValueError
        The slide repeats a block so often that it needs smaller levels, and these cannot divide it.
    """
    rows, cols = block.shape[0] * repeat, block.shape[1] * repeat
    count = level_count(block.shape[:2], repeat)
    big = rows * cols > _CLASSIC_TIFF_PX
    with replacing(path) as temporary, tifffile.TiffWriter(temporary, bigtiff=big) as tiff:
        for level in range(count):
            height, width = block.shape[0] * repeat, block.shape[1] * repeat
            per_cm = 10_000 / (mpp * LEVEL_FACTOR**level)
            tiff.write(
                encoded_tiles(block, (height, width), quality),
                shape=(height, width, 3),
                dtype=np.uint8,
                photometric="ycbcr",
                subsampling=(2, 1),
                compression="jpeg",
                tile=(TILE_PX, TILE_PX),
                subfiletype=0 if level == 0 else 1,
                resolution=(per_cm, per_cm),
                resolutionunit="CENTIMETER",
                metadata=None,
                software=False,
            )
            block = reduced(block)


def level_count(block_shape: tuple[int, ...], repeat: int) -> int:
    """Count the levels down to the smallest; a repeated block has those that divide its sides."""
    count = 1
    while min(block_shape) * repeat // LEVEL_FACTOR**count >= _SMALLEST_LEVEL_PX:
        if repeat > 1 and any(side % LEVEL_FACTOR**count for side in block_shape):
            break
        count += 1
    if count == 1 and min(block_shape) * repeat > _FLAT_MAX_PX:
        raise ValueError(f"a block that is repeated has sides that {LEVEL_FACTOR} divides, got {block_shape}")
    return count


def reduced(block: Rgb) -> Rgb:
    """Average squares of pixels; a block that is not a multiple of the factor is continued at its edge."""
    height, width = block.shape[:2]
    down, right = -height % LEVEL_FACTOR, -width % LEVEL_FACTOR
    whole = cv2.copyMakeBorder(block, 0, down, 0, right, cv2.BORDER_REPLICATE)
    size = ((width + right) // LEVEL_FACTOR, (height + down) // LEVEL_FACTOR)
    return np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def encoded_tiles(
    block: Rgb, shape: tuple[int, int], quality: int, *, tile_px: int = TILE_PX
) -> Iterator[bytes]:
    """Encode the tiles of one level in reading order; a tile that comes again is encoded once."""
    seen: dict[tuple[int, int], bytes] = {}
    height, width = block.shape[:2]
    for top in range(0, shape[0], tile_px):
        rows = _tile_index(top, shape[0], tile_px) % height
        for left in range(0, shape[1], tile_px):
            cols = _tile_index(left, shape[1], tile_px) % width
            # Tiles that are cut by the slide's edge are filled with its last pixel: not kept.
            cut = top + tile_px > shape[0] or left + tile_px > shape[1]
            key = (int(rows[0]), int(cols[0]))
            if cut or key not in seen:
                tile = np.ascontiguousarray(block[rows[:, None], cols])
                data = bytes(
                    imagecodecs.jpeg8_encode(
                        tile, level=quality, colorspace="rgb", outcolorspace="ycbcr", subsampling="422"
                    )
                )
                if cut:
                    yield data
                    continue
                seen[key] = data
            yield seen[key]


def _tile_index(start: int, end: int, tile_px: int) -> npt.NDArray[np.int64]:
    return np.minimum(np.arange(start, start + tile_px, dtype=np.int64), end - 1)


def write_truth_cells(
    path: Path, columns: Columns, *, block_shape: tuple[int, int] = (0, 0), repeat: int = 1
) -> int:
    """Write the truth per cell as Parquet, repeated as `write_slide` repeats the block.

    Parameters
    ----------
    path : Path
        File to be written, whole or not at all.
    columns : mapping of str to ndarray, all of shape (n,)
        Columns of one block; those ending in ``x_px0`` or ``y_px0`` move with the block,
        ``cell_id`` is counted on, and NaN is written as null.
    block_shape : tuple of two ints
        Rows and columns of the block; needed where it is repeated.
    repeat : int
        How often the block stands in each direction.

    Returns
    -------
    rows : int
        Number of cells written.
    """
    block = _truth_table(columns)
    written = 0
    with (
        replacing(path) as temporary,
        pq.ParquetWriter(temporary, block.schema, compression="zstd") as writer,
    ):
        for down in range(repeat):
            for right in range(repeat):
                part = _moved(block, right * block_shape[1], down * block_shape[0], written)
                writer.write_table(part)
                written += part.num_rows
    return written


def _truth_table(columns: Columns) -> pa.Table:
    arrays = {}
    for name, values in columns.items():
        nan = np.isnan(values) if values.dtype.kind == "f" else None
        kind = pa.string() if values.dtype.kind == "U" else None
        arrays[name] = pa.array(values, type=kind, mask=nan)
    metadata = {"her2path.table": "phantom_ihc_cells", "her2path.table_version": "1"}
    return pa.table(arrays).replace_schema_metadata(metadata)


def _moved(block: pa.Table, dx: int, dy: int, cells_before: int) -> pa.Table:
    for place, name in enumerate(block.column_names):
        by = dx if name.endswith("x_px0") else dy if name.endswith("y_px0") else 0
        by = cells_before if name == "cell_id" else by
        if by:
            block = block.set_column(place, block.schema.field(name), pc.add(block[name], by))
    return block


def write_truth(path: Path, truth: Mapping[str, object]) -> None:
    """Write the truth of a whole phantom as sorted, indented JSON."""
    text = json.dumps(truth, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n")


def write_regions(path: Path, outlines: Sequence[npt.NDArray[np.float64]]) -> None:
    """Write closed outlines (k, 2) in level-0 pixels as tumour annotations of QuPath."""
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Polygon", "coordinates": [outline.round(1).tolist()]},
            "properties": {"objectType": "annotation", "classification": {"name": "Tumor"}},
        }
        for outline in outlines
    ]
    text = json.dumps({"type": "FeatureCollection", "features": features}, separators=(",", ":"))
    write_text(path, text + "\n")


def write_rows(path: Path, rows: Sequence[Mapping[str, object]], *, delimiter: str) -> None:
    """Write rows of the same keys as CSV or TSV with a header; None becomes an empty cell."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())
