"""Tables: their Arrow schemas, and the only ways to write and read them.

A schema carries its name and version in the metadata and the unit in the column name; another
version is refused by name.  A table of an image that could not be measured is empty and carries
the reason in its metadata (`not_evaluable_of`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from her2path.domain.verdict import NotEvaluable
from her2path.errors import ArtefactError, OtherVersionError
from her2path.io.documents import Producer
from her2path.io.files import artefact_name, replacing

_NAME = b"her2path.table"
_VERSION = b"her2path.table_version"
_NOT_EVALUABLE = b"her2path.not_evaluable"
_PRODUCED_BY = b"her2path.produced_by"
_FACTS = b"her2path.facts"
_BUFFER = 2**18
"""Bytes of a column that are read from disk at once."""
_ADDED = {b"added": b"true"}
"""Of a column that tables of the same version lack where they were written before it was added."""


def table_schema(name: str, version: int, *fields: pa.Field) -> pa.Schema:
    """Declare a table; another version is refused when it is read."""
    return pa.schema(list(fields), metadata={_NAME: name.encode(), _VERSION: str(version).encode()})


def column(name: str, kind: pa.DataType, *, null: bool = False, added: bool = False) -> pa.Field:
    """Declare a column; `null` where it may hold nothing, `added` where older tables lack it."""
    return pa.field(name, kind, nullable=null, metadata=_ADDED if added else None)


def measured(kind: pa.DataType, *names: str) -> list[pa.Field]:
    """Declare columns that are null where nothing was measured."""
    return [column(name, kind, null=True) for name in names]


WORD = pa.dictionary(pa.int8(), pa.string())
"""One of a few words."""

TILES = table_schema(
    "tiles",
    1,
    column("tile_id", pa.int32()),
    # What a tile owns, on the grid of working pixels (`target_mpp`) whose origin is that of
    # level 0: the cores of neighbours touch and never overlap.
    column("row", pa.int32()),
    column("col", pa.int32()),
    column("height", pa.int32()),
    column("width", pa.int32()),
    column("target_mpp", pa.float64()),
    # The same corner on level 0.
    column("x_px0", pa.float64()),
    column("y_px0", pa.float64()),
    column("tissue_frac", pa.float32()),
)
"""Tiles of one slide in reading order (row by row)."""

IHC_CELLS = table_schema(
    "ihc_cells",
    4,
    column("cell_id", pa.int64()),
    column("x_px0", pa.float64()),
    column("y_px0", pa.float64()),
    column("nucleus_area_um2", pa.float32()),
    column("cell_area_um2", pa.float32()),
    column("membrane_completeness", pa.float32()),
    column("membrane_connectivity", pa.float32()),
    # Null where no part of the contour is stained: there is nothing to take a median of.
    column("membrane_od", pa.float32(), null=True),
    column("membrane_contrast_od", pa.float32(), null=True),
    # DAB over the cytoplasm, summed across the membrane: OD x µm.
    column("membrane_excess_od_um", pa.float32(), null=True),
    column("membrane_thickness_um", pa.float32(), null=True),
    # Of a learned model; null where rays measured by themselves, too.
    column("membrane_certainty", pa.float32(), null=True),
    # DAB over the whole contour, stained or not.
    column("membrane_mean_od", pa.float32(), null=True, added=True),
    column("cytoplasm_od", pa.float32(), null=True),
    column("nucleus_od", pa.float32()),
    column("intensity", WORD),
    column("pattern", WORD),
    column("cell_score", pa.int8()),
    column("in_tumour", pa.bool_()),
    # Number of the separate piece of tissue, from 1.
    column("piece", pa.int32()),
    # Number of the control tissue that the cell belongs to, from 1; null = tissue of the case.
    column("control", pa.int16(), null=True),
    # Why a cell is not scored; null = scored.
    column("exclusion", WORD, null=True),
    # Why it is not scored where a person draws tumour around it; null = scored there.
    column("exclusion_if_drawn", WORD, null=True, added=True),
)
"""One row per cell of an IHC slide, ordered by tile and within it by position."""

IHC_BLOCKS = table_schema(
    "ihc_blocks",
    1,
    # Top left corner; the grid of blocks begins at the corner of level 0.
    column("x_px0", pa.float64()),
    column("y_px0", pa.float64()),
    column("size_um", pa.float64()),
    column("cells", pa.int64()),
    # Cells by staining class; they sum to `cells`.
    column("complete_intense", pa.int64()),
    column("complete_weak_moderate", pa.int64()),
    column("incomplete_moderate_intense", pa.int64()),
    column("incomplete_faint", pa.int64()),
    column("none", pa.int64()),
    column("h_score", pa.float64()),
)
"""Square blocks of a slide that hold scored cells, row by row."""

IHC_CONTOURS = table_schema(
    "ihc_contours",
    1,
    column("cell_id", pa.int64()),
    # x0, y0, x1, y1, ... of a closed ring whose first point is not repeated.
    column("cell_xy_px0", pa.list_(pa.float32())),
    column("nucleus_xy_px0", pa.list_(pa.float32())),
)
"""Outlines of the same cells in the same order, for overlays and QuPath."""

FISH_OBJECTS = table_schema(
    "fish_objects",
    2,
    column("nucleus_id", pa.int32()),
    column("x_px0", pa.float64()),
    column("y_px0", pa.float64()),
    column("area_um2", pa.float32()),
    column("solidity", pa.float32()),
    column("dapi_mean", pa.float32()),
    # Width of the edge: contrast over the steepest slope across it; null of an object walled in by others.
    column("edge_um", pa.float32(), null=True),
    # Share of the pixels of the object at full scale.
    column("dapi_saturated_frac", pa.float32()),
    column("field", pa.string()),
    # Why the shape alone rules a nucleus out; null = may be counted.
    column("exclusion", WORD, null=True),
    # 1 = the nucleus a reader would take first, by its shape; null where excluded.
    column("rank", pa.int32(), null=True),
)
"""Every DAPI object of one image as segmented, before any signal is looked at."""

FISH_SIGNALS = table_schema(
    "fish_signals",
    2,
    # 0 = over no nucleus.
    column("nucleus_id", pa.int32()),
    # her2, cep17 or glow.
    column("channel", WORD),
    column("x_px0", pa.float64()),
    column("y_px0", pa.float64()),
    column("z", pa.int16()),
    # Null for glow, which has no height of its own.
    column("snr", pa.float32(), null=True),
    # Height over that of a single signal of the image; null for glow.
    column("share", pa.float32(), null=True),
    column("is_cluster", pa.bool_()),
    column("copies", pa.int16()),
    # 80 % interval of the estimate of a cluster; null for all else.
    column("copies_low", pa.int16(), null=True),
    column("copies_high", pa.int16(), null=True),
)
"""One row per counted signal or cluster, per weak spot (0 copies) and per nucleus under glow (0 copies).

`nucleus_id` refers to `fish_objects`; 0 is outside all nuclei.
"""

FISH_NUCLEI = table_schema(
    "fish_nuclei",
    2,
    column("nucleus_id", pa.int32()),
    column("x_px0", pa.float64()),
    column("y_px0", pa.float64()),
    column("area_um2", pa.float32()),
    column("her2_signals", pa.int32()),
    # Sums of the bounds of clusters; equal to her2_signals without clusters.
    column("her2_copies_low", pa.int32()),
    column("her2_copies_high", pa.int32()),
    # Null with a single-probe assay.
    column("cep17_signals", pa.int32(), null=True),
    column("her2_clusters", pa.int32()),
    column("evaluable", pa.bool_()),
    column("exclusion", WORD, null=True),
    # 1 = the nucleus a reader would take first; null where excluded.
    column("rank", pa.int32(), null=True),
    column("field", pa.string()),
)
"""One row per DAPI nucleus with its counts and whether it was counted."""


class TableWriter:
    """Appends batches to a Parquet file; memory is bounded by one batch."""

    def __init__(self, writer: pq.ParquetWriter, schema: pa.Schema) -> None:
        self._writer = writer
        self._schema = schema
        self.rows = 0

    def append(self, columns: dict[str, object]) -> None:
        """Append rows given as one sequence per column of the schema (no more, no fewer).

        Raises
        ------
        ValueError
            Columns are missing or too many, or a column of numbers holds NaN or infinity: what was
            not measured is null.
        """
        if columns.keys() != set(self._schema.names):
            odd = sorted(columns.keys() ^ set(self._schema.names))
            raise ValueError(f"columns differ from schema {table_name(self._schema)!r}: {odd}")
        arrays = [_array(columns[f.name], f) for f in self._schema]
        batch = pa.record_batch(arrays, schema=self._schema)
        batch.validate(full=True)
        self._writer.write_batch(batch)
        self.rows += batch.num_rows


def _array(values: object, column: pa.Field) -> pa.Array:
    array = _converted(values, column)
    numbers = array.flatten() if pa.types.is_list(column.type) else array
    if pa.types.is_floating(numbers.type) and not pc.all(pc.is_finite(numbers), min_count=0).as_py():
        raise ValueError(f"column {column.name!r} holds values that are no finite numbers")
    return array


def _converted(values: object, column: pa.Field) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        # One dictionary for all batches would need all words beforehand; Parquet merges them.
        return pa.array(values, type=pa.string()).dictionary_encode().cast(column.type)
    return pa.array(values, type=column.type)


def table_name(schema: pa.Schema) -> str:
    """Name under which a schema is known in messages."""
    name: bytes = (schema.metadata or {}).get(_NAME, b"?")
    return name.decode()


@contextmanager
def write_table(
    path: Path,
    schema: pa.Schema,
    *,
    produced_by: Producer,
    not_evaluable: NotEvaluable | None = None,
    facts: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[TableWriter]:
    """Open a table for writing; the file appears whole when the block ends, or not at all.

    `facts` hold for the whole table and are read with `facts_of`.
    """
    stated = json.dumps(dict(facts), sort_keys=True, ensure_ascii=False)
    schema = schema.with_metadata({**schema.metadata, _FACTS: stated.encode()})
    made = json.dumps(produced_by.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
    schema = schema.with_metadata({**schema.metadata, _PRODUCED_BY: made.encode()})
    if not_evaluable is not None:
        reason = json.dumps({"code": not_evaluable.code, "reason": not_evaluable.reason}, ensure_ascii=False)
        schema = schema.with_metadata({**schema.metadata, _NOT_EVALUABLE: reason.encode()})
    with replacing(path) as temporary, pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
        yield TableWriter(writer, schema)


def open_table(path: Path, schema: pa.Schema) -> pq.ParquetFile:
    """Open a table for reading in batches after checking its name, version and columns.

    Raises
    ------
    ArtefactError
        The file is missing, damaged, or another table; OtherVersionError where it is of another version.
    """
    try:
        # Read through small buffers, so that a file of any size costs one batch: of a mapped file every
        # page that was read counts as the process's memory, and what is fetched beforehand stays in it.
        table = pq.ParquetFile(path, buffer_size=_BUFFER, pre_buffer=False)
    except (OSError, pa.ArrowInvalid) as error:
        raise ArtefactError(artefact_name(path), f"not a readable Parquet file ({error})") from error
    found = table.schema_arrow.metadata or {}
    for key in (_NAME, _VERSION):
        if found.get(key) != schema.metadata[key]:
            wanted = f"{table_name(schema)} version {schema.metadata[_VERSION].decode()}"
            seen = f"{found.get(_NAME, b'?').decode()} version {found.get(_VERSION, b'?').decode()}"
            # The name comes first: where it is the same, only the version can differ.
            kind = OtherVersionError if key == _VERSION else ArtefactError
            raise kind(artefact_name(path), f"holds table {seen}, expected {wanted}")
    known = set(table.schema_arrow.names)
    wanted = pa.schema([column for column in schema if column.name in known or column.metadata != _ADDED])
    if not table.schema_arrow.equals(wanted, check_metadata=False):
        raise ArtefactError(artefact_name(path), f"columns differ from table {table_name(schema)}")
    return table


def read_table(path: Path, schema: pa.Schema) -> pa.Table:
    """Read a whole table; use `open_table` where a slide's cells may not fit."""
    with open_table(path, schema) as table:
        return table.read()


def produced_by_of(path: Path) -> Producer:
    """Read which step made a table, with which parameters; ArtefactError if the table does not say."""
    made = _metadata(path).get(_PRODUCED_BY)
    if made is None:
        raise ArtefactError(artefact_name(path), "does not say which step made it")
    return Producer.model_validate_json(made)


def facts_of(path: Path) -> dict[str, str]:
    """Read what holds for a whole table; ArtefactError if it states nothing of the kind."""
    stated = _metadata(path).get(_FACTS)
    if stated is None:
        raise ArtefactError(artefact_name(path), "states no facts")
    facts: dict[str, str] = json.loads(stated)
    return facts


def _metadata(path: Path) -> dict[bytes, bytes]:
    try:
        return pq.read_schema(path).metadata or {}
    except (OSError, pa.ArrowInvalid) as error:
        raise ArtefactError(artefact_name(path), f"not a readable Parquet file ({error})") from error


def not_evaluable_of(path: Path) -> NotEvaluable | None:
    """Read why a table is empty, if the image could not be measured."""
    metadata = _metadata(path)
    if _NOT_EVALUABLE not in metadata:
        return None
    return NotEvaluable(**json.loads(metadata[_NOT_EVALUABLE]))
