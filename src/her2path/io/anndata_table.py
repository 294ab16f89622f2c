"""Cells of a slide as AnnData: one row a cell, measures in X, classes, regions and tile in obs.

`anndata` belongs to the extra ``spatial``; it is imported only by whoever has asked for it.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from her2path.io.files import replacing, replacing_folder
from her2path.io.qupath_cells import MEASUREMENTS
from her2path.io.research_cells import MEASURES, Facts, Known, ResearchCells, Words

if TYPE_CHECKING:
    from anndata import AnnData

_CHUNK_ROWS = 65_536


def to_anndata(cells: ResearchCells, *, image_id: str, mpp: float, uns: dict[str, Any]) -> AnnData:
    """Build the table of a slide.

    Parameters
    ----------
    cells : ResearchCells
        All cells of the slide.
    image_id : str
        Pseudonym of the image; begins the name of each row, so that slides can be put together.
    mpp : float
        Pixel size of level 0 (µm).
    uns : dict
        Provenance, kept under ``her2path``.

    Returns
    -------
    AnnData
        `X` is that of `cells`, not a copy.
    """
    # Optional, and it takes a second to load.
    import pandas as pd  # noqa: PLC0415
    from anndata import AnnData  # noqa: PLC0415

    names = pd.Index([f"{image_id}-{number}" for number in cells.cell_id.tolist()], dtype=object)
    obs = {"cell_id": cells.cell_id, "image_id": pd.Categorical.from_codes(_zeros(cells), [image_id])}
    obs |= {name: _column(fact) for name, fact in cells.facts.items()}
    measured = list(MEASURES)
    var = {"unit": [MEASURES[name] for name in measured], "qupath": [MEASUREMENTS[name] for name in measured]}
    table = AnnData(
        X=cells.measures,
        obs=pd.DataFrame(obs, index=names),
        var=pd.DataFrame(var, index=pd.Index(measured, dtype=object)),
        obsm={"spatial": cells.xy_px0, "spatial_um": cells.xy_px0 * mpp},
    )
    table.uns["her2path"] = uns
    # Where scanpy looks for the colours of a column of categories.
    table.uns["class_colors"] = np.array(["#{:02x}{:02x}{:02x}".format(*kind.rgb) for kind in cells.classes])
    return table


def _zeros(cells: ResearchCells) -> Any:
    return np.zeros(len(cells), np.int8)


def _column(fact: Facts) -> Any:
    import pandas as pd  # noqa: PLC0415  (optional)

    if isinstance(fact, Words):
        return pd.Categorical.from_codes(fact.codes, list(fact.words), ordered=fact.ordered)
    if isinstance(fact, Known):
        return pd.arrays.IntegerArray(fact.values, fact.missing)
    return fact


def write_anndata(table: AnnData, path: Path, *, overwrite: bool = False) -> None:
    """Write a table whole or not at all: a ``.zarr`` folder, otherwise HDF5 (``.h5ad``).

    Raises
    ------
    FileExistsError
        There is something of this name, and it may not be replaced.
    """
    import anndata  # noqa: PLC0415  (optional)

    rows = max(1, min(_CHUNK_ROWS, table.n_obs))
    if path.suffix == ".zarr":
        with (
            replacing_folder(path, mark="zarr.json", overwrite=overwrite) as folder,
            anndata.settings.override(zarr_write_format=3, auto_shard_zarr_v3=False),
            warnings.catch_warnings(),
        ):
            # Zarr says so of every store that anndata writes: both read it again.
            warnings.filterwarnings("ignore", message="Consolidated metadata")
            table.write_zarr(folder, chunks=(rows, table.n_vars))
        return
    if path.exists() and not overwrite:
        raise FileExistsError(path)
    with replacing(path) as temporary:
        table.write_h5ad(temporary, compression="gzip")
