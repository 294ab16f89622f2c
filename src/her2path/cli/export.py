"""Commands `her2path export ...`: the cells of a slide for programs of research."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="Cells of a measured slide for research: AnnData, SpatialData (pip install her2path\\[spatial]).",
    no_args_is_help=True,
)
Results = Annotated[Path, typer.Argument(help="Folder of the results of `her2path run`.")]
Image = Annotated[str, typer.Option("--image", help="Id of an IHC image.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an earlier export of that name.")]


@app.command("anndata")
def anndata_command(
    results: Results,
    image: Image,
    out: Annotated[Path, typer.Option("--out", help="File to write: .h5ad, or a .zarr folder.")],
    overwrite: Overwrite = False,
) -> None:
    """Write one row a cell: measures in X; class, regions and tile in obs; places in obsm."""
    # Loaded here so that help and the other commands come at once.
    from her2path.cli import export_tables  # noqa: PLC0415

    typer.echo(export_tables.export_anndata(results, image, out, overwrite=overwrite))


@app.command("spatialdata")
def spatialdata_command(
    results: Results,
    image: Image,
    out: Annotated[Path, typer.Option("--out", help="Folder to write: .zarr.")],
    cases: Annotated[
        Path | None, typer.Option("--cases", help="Case sheet: adds the regions that were drawn.")
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Write outlines of cells and nuclei, regions, tiles and the picture, with the table of the cells."""
    # Loaded here so that help and the other commands come at once.
    from her2path.cli import export_tables  # noqa: PLC0415

    typer.echo(export_tables.export_spatialdata(results, image, out, sheet=cases, overwrite=overwrite))
