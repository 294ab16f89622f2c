"""Commands `her2path qupath ...`: results to QuPath, and a person's work back."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

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
