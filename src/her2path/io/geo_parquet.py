"""Polygons as a stream of GeoParquet, as `geopandas.read_parquet` reads it.

https://geoparquet.org/releases/v1.0.0: well-known binary in a column, and metadata under the key ``geo``.
The polygons lie on a slide and not on the globe, so their reference system is stated as unknown.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from her2path.io.files import replacing

_GEO = {
    "version": "1.0.0",
    "primary_column": "geometry",
    "columns": {"geometry": {"encoding": "WKB", "geometry_types": ["Polygon"], "crs": None}},
}
# What pandas reads to make the column the index again.
_INDEX = {
    "index_columns": ["cell_id"],
    "column_indexes": [],
    "columns": [
        {
            "name": "geometry",
            "field_name": "geometry",
            "pandas_type": "bytes",
            "numpy_type": "object",
            "metadata": None,
        },
        {
            "name": "cell_id",
            "field_name": "cell_id",
            "pandas_type": "int64",
            "numpy_type": "int64",
            "metadata": None,
        },
    ],
}
_SCHEMA = pa.schema(
    [
        pa.field("geometry", pa.binary()),
        pa.field("cell_id", pa.int64()),
    ],
    metadata={b"geo": json.dumps(_GEO).encode(), b"pandas": json.dumps(_INDEX).encode()},
)

Polygons = tuple[npt.NDArray[np.int64], npt.NDArray[np.object_]]
"""Ids of cells and their polygons, both of shape (n,)."""


def write_polygons(path: Path, batches: Iterable[Polygons]) -> int:
    """Write polygons by the id of their cell, whole or not at all; memory is that of one batch.

    Returns
    -------
    int
        Polygons written.
    """
    written = 0
    with replacing(path) as temporary, pq.ParquetWriter(temporary, _SCHEMA, compression="zstd") as writer:
        for ids, polygons in batches:
            columns = [pa.array(shapely.to_wkb(polygons), pa.binary()), pa.array(ids, pa.int64())]
            writer.write_batch(pa.record_batch(columns, schema=_SCHEMA))
            written += len(ids)
    return written
