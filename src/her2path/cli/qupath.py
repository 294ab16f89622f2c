"""Commands `her2path qupath ...`: results to QuPath, and a person's work back."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer

from her2path.domain.region_use import RegionUse

app = typer.Typer(
    help="Look at results in QuPath, and take back what a person changed.", no_args_is_help=True
)
Out = Annotated[Path, typer.Option("--out", help="Folder of the results of `her2path run`.")]
CaseSheetPath = Annotated[
    Path | None, typer.Option("--cases", help="Case sheet, where it was moved since the run.")
]


@app.command("project")
def project_command(
    out: Out,
    folder: Annotated[Path, typer.Argument(help="Folder of the project; it must be new or empty.")],
    case_sheet: CaseSheetPath = None,
    chosen: Annotated[
        list[str] | None, typer.Option("--case", help="Only this case; may be given several times.")
    ] = None,
) -> None:
    """Write a QuPath project with the slides of a run and what was measured on them.

    The project names the slides where they lie; they are not copied.  Open it in QuPath and run its
    script her2path_import once for all images.  The exit code is 1 where a slide had to be left out.
    """
    # Loaded here so that help and the other commands come at once.
    from her2path.cli import qupath_project  # noqa: PLC0415

    lines = qupath_project.write(out.resolve(), folder.resolve(), sheet=case_sheet, cases=chosen or [])
    for line in lines:
        typer.echo(line.words)
    sys.exit(0 if all(line.is_in for line in lines) else 1)


ImageId = Annotated[str, typer.Option("--image", help="Image of the case sheet that was edited.")]


@app.command("import")
def import_command(  # noqa: PLR0913, PLR0917  (one parameter an option)
    out: Out,
    image: ImageId,
    by: Annotated[str, typer.Option("--by", help="Pseudonym of the person who edited the slide.")],
    file: Annotated[Path, typer.Argument(help="Export from QuPath: .geojson, also zipped or gzipped.")],
    on: Annotated[
        datetime | None, typer.Option("--on", formats=["%Y-%m-%d"], help="Day of the edits; default today.")
    ] = None,
    tool: Annotated[str, typer.Option("--tool", help="Program and version they were made in.")] = "QuPath",
    comment: Annotated[
        str, typer.Option("--comment", help="Why, in one line; it stands in the report.")
    ] = "",
    tumour: Annotated[
        RegionUse, typer.Option("--tumour", help="Drawn tumour replaces that of the slide, or adds to it.")
    ] = RegionUse.REPLACE,
    exclusions: Annotated[
        RegionUse, typer.Option("--exclusions", help="The same of regions that are left out.")
    ] = RegionUse.ADD,
    add: Annotated[
        bool, typer.Option("--add", help="Keep earlier edits where this file says nothing.")
    ] = False,
    undo: Annotated[
        bool,
        typer.Option("--undo", help="With --add: cells that this file shows as measured are so again."),
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Put earlier edits aside; only this file counts.")
    ] = False,
    case_sheet: CaseSheetPath = None,
) -> None:
    """Take regions and cell classes of a person back, score the slide from them, and say so everywhere.

    The program's own cells and its first result are kept; `her2path qupath discard` goes back to them.
    """
    from her2path.cli import qupath_import  # noqa: PLC0415  (as above)

    today = datetime.now(tz=UTC).astimezone().date()
    if add and replace:
        raise typer.BadParameter("give --add or --replace, not both")
    if undo and not add:
        raise typer.BadParameter("--undo takes back what --add would keep; give both")
    beside = "add" if add else "replace" if replace else "refuse"
    order = qupath_import.Order(
        out=out.resolve(),
        image_id=image,
        file=file,
        by=by,
        on=today if on is None else date(on.year, on.month, on.day),
        tool=tool,
        comment=comment,
        tumour_use=tumour,
        left_out_use=exclusions,
        beside=qupath_import.Beside(beside),
        undo=undo,
        case_sheet=case_sheet,
    )
    for line in qupath_import.import_edits(order, today=today):
        typer.echo(line)


@app.command("discard")
def discard_command(out: Out, image: ImageId, case_sheet: CaseSheetPath = None) -> None:
    """Put the edits of a slide aside and score it as it was measured."""
    from her2path.cli import qupath_import  # noqa: PLC0415  (as above)

    for line in qupath_import.discard(out.resolve(), image, case_sheet=case_sheet):
        typer.echo(line)
