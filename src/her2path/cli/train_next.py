"""Command `her2path train next`: which cells and tiles to label next."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer


def next_command(
    results: Annotated[Path, typer.Argument(help="Results folder of `her2path run`.")],
    cases: Annotated[Path, typer.Option("--cases", help="The case sheet that was run.")],
    out: Annotated[
        Path, typer.Option("--out", help="Folder of the GeoJSON files, queries.json, dataset.tsv.")
    ],
    dataset: Annotated[
        Path | None, typer.Option("--dataset", help="Manifest of what is labelled already.")
    ] = None,
    cells: Annotated[int, typer.Option("--cells", min=0, max=5000, help="Cells to ask for.")] = 100,
    tiles: Annotated[int, typer.Option("--tiles", min=0, max=500, help="Tiles to ask for.")] = 8,
) -> None:
    """Choose the cells and tiles that would teach most, and write them for QuPath.

    Those that the model is unsure of and that are unlike each other come first. Give them classes in QuPath
    (`Tumor: 0` to `Tumor: 3+`, `Stroma`, ...), export over the same files, complete dataset.tsv by source
    and licence, and give it to `her2path train dataset`.
    """
    # Loads the imaging libraries, which help need not wait for.
    from her2path.cli.step import execute, load_step  # noqa: PLC0415
    from her2path.io.documents import read_document  # noqa: PLC0415
    from her2path.io.query_documents import QueriesDoc  # noqa: PLC0415

    logging.getLogger("her2path").setLevel(logging.INFO)
    step = load_step("train_next")
    sheet, queries = out / "dataset.tsv", out / "queries.json"
    arguments = {
        "results": results,
        "cases": cases,
        "dataset": dataset,
        "sheet": sheet,
        "queries": queries,
    }
    execute(step, arguments, step.params(cells=cells, tiles=tiles))
    found = read_document(queries, QueriesDoc)
    for image_id, why in found.left_out.items():
        typer.echo(f"note: {image_id} is left out: {why}")
    asked = {cell.image_id for cell in found.cells} | {tile.image_id for tile in found.tiles}
    typer.echo(
        f"{len(found.cells)} cells and {len(found.tiles)} tiles in {len(asked)} of {len(found.images)} "
        f"images, chosen from {found.candidates} tumour cells; {found.labelled} have labels already"
    )
    typer.echo(str(sheet))
