"""Commands `her2path qa ...`: software and readers compared, studies planned, discordant cases read again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from her2path.cli import qa_review
from her2path.cli.qa_sample_size import sample_size
from her2path.errors import ConfigError

app = typer.Typer(
    help="Quality assurance: how far software and readers agree, over cases and over time.",
    invoke_without_command=True,
    no_args_is_help=True,
)
app.command("sample-size")(sample_size)
qa_review.add_to(app)


@app.callback()
def qa(  # noqa: PLR0913, PLR0917  (one parameter an option)
    context: typer.Context,
    calls: Annotated[
        Path | None, typer.Option("--calls", help="Results folder of `her2path run`, or its calls.csv.")
    ] = None,
    reads: Annotated[
        Path | None, typer.Option("--reads", help="Reads of pathologists, one row a read.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for qa.html and all its numbers.")] = None,
    strata: Annotated[
        Path | None,
        typer.Option("--strata", help="Site, scanner, clone, batch, specimen, date of each case."),
    ] = None,
    runs: Annotated[
        Path | None, typer.Option("--runs", help="Series of control tissue, one row a run.")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option("--mapping", help="YAML: other names of columns, readers and words.")
    ] = None,
    reference: Annotated[
        str, typer.Option("--reference", help="Reader who is the reference standard; by default none is.")
    ] = "",
    guideline: Annotated[
        str, typer.Option("--guideline", help="Of calls and reads; by default that of the calls.")
    ] = "",
    config: Annotated[
        Path | None, typer.Option("--config", help="YAML file of step parameters (qa_agreement, ...).")
    ] = None,
) -> None:
    """Compare the calls of a run with pathologists' reads, and the readers with each other.

    Writes qa.html (one file), qa.json (every number) and tables/*.csv.  The exit code is 1 where no case
    has both a call and a read.
    """
    if context.invoked_subcommand is not None:
        return
    needed = {"--calls": calls, "--reads": reads, "--out": out}
    if calls is None or reads is None or out is None:
        missing = ", ".join(name for name, value in needed.items() if value is None)
        raise ConfigError((f"{missing}: is needed, or name a command (her2path qa --help lists them)",))
    # Loaded here so that help and the other commands come at once.
    from her2path.cli import qa_chain  # noqa: PLC0415

    order = qa_chain.Order(
        calls=calls,
        reads=reads,
        out=out,
        strata=strata,
        runs=runs,
        mapping=mapping,
        reference=reference,
        guideline=guideline,
        config=config,
    )
    compared = qa_chain.compare(order)
    sys.exit(0 if compared else 1)
