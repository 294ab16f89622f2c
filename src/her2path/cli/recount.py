"""Commands `her2path recount ...`: the count of a second person, prepared and taken back."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Second, blinded count: prepare it, take it back.", no_args_is_help=True)
Out = Annotated[Path, typer.Option("--out", help="Folder of the results of `her2path run`.")]


@app.command("prepare")
def prepare_command(  # noqa: PLR0913, PLR0917  (one parameter an option)
    out: Out,
    cases: Annotated[
        list[str] | None, typer.Argument(help="Cases; without any, all that wait for a recount.")
    ] = None,
    nuclei: Annotated[int, typer.Option("--nuclei", min=20, max=200, help="Nuclei to show.")] = 30,
    seed: Annotated[
        int, typer.Option("--seed", min=0, help="Another number, another order on the page.")
    ] = 0,
    first_observer: Annotated[
        str | None, typer.Option("--first-observer", help="Pseudonym of who signed the first count.")
    ] = None,
    reuse: Annotated[
        bool, typer.Option("--reuse", help="Fill up with nuclei of the first count although 20 others exist.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Prepare another sheet although there is one already.")
    ] = False,
    hand_out: Annotated[
        Path | None, typer.Option("--hand-out", help="Also copy page and sheet here, named by sheet alone.")
    ] = None,
    case_sheet: Annotated[
        Path | None, typer.Option("--cases", help="Case sheet, where it was moved since the run.")
    ] = None,
) -> None:
    """Choose nuclei and write a blinded page and an empty read sheet for each case.

    The exit code is 1 where a case cannot have a sheet; the reason is printed.
    """
    # Loaded here so that help and the other commands come at once.
    from her2path.cli import recount_prepare  # noqa: PLC0415
    from her2path.domain.recount_choice import Wish  # noqa: PLC0415

    order = recount_prepare.Order(
        out=out.resolve(),
        wish=Wish(nuclei, seed, fill_up=reuse),
        first_observer=first_observer,
        again=again,
        hand_out=hand_out,
        case_sheet=case_sheet,
    )
    results = recount_prepare.prepare(order, cases or [])
    if not results:
        typer.echo("no case waits for a recount; name a case to prepare one for it")
    for result in results:
        typer.echo(f"{result.case_id}: {result.words}")
    sys.exit(0 if all(result.prepared for result in results) else 1)


@app.command("take")
def take_command(
    out: Out,
    reads: Annotated[list[Path], typer.Argument(help="Filled read sheets.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Take a read although the case has one; the old one is kept.")
    ] = False,
) -> None:
    """Check filled read sheets and store them for the next `her2path run`: all of them, or none."""
    from her2path.cli import recount_take  # noqa: PLC0415  (as above)

    today = datetime.now(tz=UTC).astimezone().date()
    for line in recount_take.take(out.resolve(), reads, today=today, replace=replace):
        typer.echo(line)
