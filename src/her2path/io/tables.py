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

from her2path.domain.ihc import StainingClass
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


def _schema(name: str, version: int, *fields: pa.Field) -> pa.Schema:
    return pa.schema(list(fields), metadata={_NAME: name.encode(), _VERSION: str(version).encode()})


def _column(name: str, kind: pa.DataType, *, null: bool = False, added: bool = False) -> pa.Field:
    return pa.field(name, kind, nullable=null, metadata=_ADDED if added else None)


def _measured(kind: pa.DataType, *names: str) -> list[pa.Field]:
    """Columns that are null where nothing was measured."""
    return [_column(name, kind, null=True) for name in names]


_WORD = pa.dictionary(pa.int8(), pa.string())

TILES = _schema(
    "tiles",
    1,
    _column("tile_id", pa.int32()),
    # What a tile owns, on the grid of working pixels (`target_mpp`) whose origin is that of
    # level 0: the cores of neighbours touch and never overlap.
    _column("row", pa.int32()),
    _column("col", pa.int32()),
    _column("height", pa.int32()),
    _column("width", pa.int32()),
    _column("target_mpp", pa.float64()),
    # The same corner on level 0.
    _column("x_px0", pa.float64()),
    _column("y_px0", pa.float64()),
    _column("tissue_frac", pa.float32()),
)
"""Tiles of one slide in reading order (row by row)."""

IHC_CELLS = _schema(
    "ihc_cells",
    4,
    _column("cell_id", pa.int64()),
    _column("x_px0", pa.float64()),
    _column("y_px0", pa.float64()),
    _column("nucleus_area_um2", pa.float32()),
    _column("cell_area_um2", pa.float32()),
    _column("membrane_completeness", pa.float32()),
    _column("membrane_connectivity", pa.float32()),
    # Null where no part of the contour is stained: there is nothing to take a median of.
    _column("membrane_od", pa.float32(), null=True),
    _column("membrane_contrast_od", pa.float32(), null=True),
    # DAB over the cytoplasm, summed across the membrane: OD x µm.
    _column("membrane_excess_od_um", pa.float32(), null=True),
    _column("membrane_thickness_um", pa.float32(), null=True),
    # Of a learned model; null where rays measured by themselves, too.
    _column("membrane_certainty", pa.float32(), null=True),
    # DAB over the whole contour, stained or not.
    _column("membrane_mean_od", pa.float32(), null=True, added=True),
    _column("cytoplasm_od", pa.float32(), null=True),
    _column("nucleus_od", pa.float32()),
    _column("intensity", _WORD),
    _column("pattern", _WORD),
    _column("cell_score", pa.int8()),
    _column("in_tumour", pa.bool_()),
    # Number of the separate piece of tissue, from 1.
    _column("piece", pa.int32()),
    # Number of the control tissue that the cell belongs to, from 1; null = tissue of the case.
    _column("control", pa.int16(), null=True),
    # Why a cell is not scored; null = scored.
    _column("exclusion", _WORD, null=True),
    # Why it is not scored where a person draws tumour around it; null = scored there.
    _column("exclusion_if_drawn", _WORD, null=True, added=True),
)
"""One row per cell of an IHC slide, ordered by tile and within it by position."""

IHC_BLOCKS = _schema(
    "ihc_blocks",
    1,
    # Top left corner; the grid of blocks begins at the corner of level 0.
    _column("x_px0", pa.float64()),
    _column("y_px0", pa.float64()),
    _column("size_um", pa.float64()),
    _column("cells", pa.int64()),
    # Cells by staining class; they sum to `cells`.
    _column("complete_intense", pa.int64()),
    _column("complete_weak_moderate", pa.int64()),
    _column("incomplete_moderate_intense", pa.int64()),
    _column("incomplete_faint", pa.int64()),
    _column("none", pa.int64()),
    _column("h_score", pa.float64()),
)
"""Square blocks of a slide that hold scored cells, row by row."""

IHC_CONTOURS = _schema(
    "ihc_contours",
    1,
    _column("cell_id", pa.int64()),
    # x0, y0, x1, y1, ... of a closed ring whose first point is not repeated.
    _column("cell_xy_px0", pa.list_(pa.float32())),
    _column("nucleus_xy_px0", pa.list_(pa.float32())),
)
"""Outlines of the same cells in the same order, for overlays and QuPath."""

FISH_OBJECTS = _schema(
    "fish_objects",
    2,
    _column("nucleus_id", pa.int32()),
    _column("x_px0", pa.float64()),
    _column("y_px0", pa.float64()),
    _column("area_um2", pa.float32()),
    _column("solidity", pa.float32()),
    _column("dapi_mean", pa.float32()),
    # Width of the edge: contrast over the steepest slope across it; null of an object walled in by others.
    _column("edge_um", pa.float32(), null=True),
    # Share of the pixels of the object at full scale.
    _column("dapi_saturated_frac", pa.float32()),
    _column("field", pa.string()),
    # Why the shape alone rules a nucleus out; null = may be counted.
    _column("exclusion", _WORD, null=True),
    # 1 = the nucleus a reader would take first, by its shape; null where excluded.
    _column("rank", pa.int32(), null=True),
)
"""Every DAPI object of one image as segmented, before any signal is looked at."""

FISH_SIGNALS = _schema(
    "fish_signals",
    2,
    # 0 = over no nucleus.
    _column("nucleus_id", pa.int32()),
    # her2, cep17 or glow.
    _column("channel", _WORD),
    _column("x_px0", pa.float64()),
    _column("y_px0", pa.float64()),
    _column("z", pa.int16()),
    # Null for glow, which has no height of its own.
    _column("snr", pa.float32(), null=True),
    # Height over that of a single signal of the image; null for glow.
    _column("share", pa.float32(), null=True),
    _column("is_cluster", pa.bool_()),
    _column("copies", pa.int16()),
    # 80 % interval of the estimate of a cluster; null for all else.
    _column("copies_low", pa.int16(), null=True),
    _column("copies_high", pa.int16(), null=True),
)
"""One row per counted signal or cluster, per weak spot (0 copies) and per nucleus under glow (0 copies).

`nucleus_id` refers to `fish_objects`; 0 is outside all nuclei.
"""

FISH_NUCLEI = _schema(
    "fish_nuclei",
    2,
    _column("nucleus_id", pa.int32()),
    _column("x_px0", pa.float64()),
    _column("y_px0", pa.float64()),
    _column("area_um2", pa.float32()),
    _column("her2_signals", pa.int32()),
    # Sums of the bounds of clusters; equal to her2_signals without clusters.
    _column("her2_copies_low", pa.int32()),
    _column("her2_copies_high", pa.int32()),
    # Null with a single-probe assay.
    _column("cep17_signals", pa.int32(), null=True),
    _column("her2_clusters", pa.int32()),
    _column("evaluable", pa.bool_()),
    _column("exclusion", _WORD, null=True),
    # 1 = the nucleus a reader would take first; null where excluded.
    _column("rank", pa.int32(), null=True),
    _column("field", pa.string()),
)
"""One row per DAPI nucleus with its counts and whether it was counted."""

_PERCENTAGES = tuple(f"pct_{name}" for name in StainingClass)

CALLS = _schema(
    "calls",
    1,
    _column("case_id", pa.string()),
    # evaluated or not_evaluable.
    _column("status", _WORD),
    # The call, or what it waits for; as in `call.json`.
    _column("state", _WORD),
    # The word null is a category (an overlay), and no entry means that it cannot be told.
    *_measured(_WORD, "ihc_score", "her2_category", "ish_group"),
    _column("guideline", _WORD),
    *_measured(pa.int64(), "scored_cells"),
    *_measured(pa.float64(), "h_score", *_PERCENTAGES),
    # First count, all fields, of the main population.
    *_measured(pa.int64(), "nuclei", "her2_signals", "cep17_signals"),
    *_measured(pa.float64(), "her2_mean", "cep17_mean", "her2_cep17_ratio"),
    # Probability (0 to 1) that another count gives another ISH result; null where nothing tells it.
    _column("another_result", pa.float64(), null=True),
    # Codes.
    _column("comments", pa.list_(pa.string())),
    _column("flags", pa.list_(pa.string())),
    # Why there is no result.
    _column("reason", pa.string(), null=True),
)
"""One row per case in the order of the case sheet; `calls.csv` says the same as text."""

QA_READS = _schema(
    "qa_reads",
    1,
    _column("case_id", pa.string()),
    # Pseudonym; `her2path` is the software.
    _column("reader", pa.string()),
    _column("is_software", pa.bool_()),
    # 1 = first read of the case by this reader.
    _column("session", pa.int16()),
    _column("read_on", pa.date32(), null=True),
    # 0, 1+, 2+, 3+; null = not read, or not to be told from what was read.
    _column("ihc_score", pa.string(), null=True),
    # False where the score follows from the percentages by the guideline; null without a score.
    _column("score_stated", pa.bool_(), null=True),
    # 0, ultralow, low, positive (`domain.reads.ClinicalCategory`); null = there is none yet.
    _column("category", pa.string(), null=True),
    *_measured(pa.float64(), *_PERCENTAGES),
    *_measured(pa.int32(), "her2_signals", "cep17_signals", "nuclei"),
    # As in `call.json`; null = no ISH to read.
    _column("ish_group", pa.string(), null=True),
    # A state of `call.json`, or not_evaluable; null = nothing to call.
    _column("call", pa.string(), null=True),
    # False where the call follows from score and counts by the guideline; null without a call.
    _column("call_stated", pa.bool_(), null=True),
    # What of the read contradicts the rest of it by the guideline; null = nothing.
    _column("contradiction", pa.string(), null=True),
    _column("comment", pa.string()),
    _column("guideline", pa.string()),
    # Strata of the case; null = not stated.
    _column("site", pa.string(), null=True),
    _column("scanner", pa.string(), null=True),
    _column("clone", pa.string(), null=True),
    _column("batch", pa.string(), null=True),
    _column("specimen", pa.string(), null=True),
    _column("stained_on", pa.date32(), null=True),
)
"""One row per read, the software's calls among them, sorted by case, reader and session."""


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
