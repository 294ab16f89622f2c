"""Commands `her2path qa reread`, `take` and `adjudicate`: discordant cases seen again."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer

Out = Annotated[Path, typer.Option("--out", help="Folder that `her2path qa --out` wrote.")]


def reread(
    out: Out,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Another number, another list and order.")] = 0,
    discordant: Annotated[
        int, typer.Option("--discordant", min=1, help="Most discordant cases; the gravest come first.")
    ] = 30,
    concordant: Annotated[
        int | None,
        typer.Option(
            "--concordant", min=0, help="Agreed cases mixed in; by default as many as discordant ones."
        ),
    ] = None,
    repeats: Annotated[
        int | None,
        typer.Option("--repeats", min=0, help="Cases that come twice; by default a tenth of them."),
    ] = None,
    reader: Annotated[
        str | None, typer.Option("--reader", help="Pseudonym of who will read it; others are refused then.")
    ] = None,
    decided: Annotated[
        bool, typer.Option("--decided", help="Also list cases on which somebody has decided already.")
    ] = False,
) -> None:
    """Write a blinded list: cases on which opinions differ, among others, under numbers in a drawn order.

    The list in rereads/ is for the reader; its key in qa/rereads/ is not.
    """
    # Loaded here so that help and the other commands come at once.
    from her2path.cli import qa_review_lists  # noqa: PLC0415
    from her2path.domain.reread_list import ListWish  # noqa: PLC0415

    wish = ListWish(seed, discordant, concordant, repeats)
    for line in qa_review_lists.prepare(out, wish, reader=reader, include_decided=decided):
        typer.echo(line)


def take(
    out: Out,
    lists: Annotated[list[Path], typer.Argument(help="Filled lists.")],
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Take answers although the reader gave some; the old ones are kept."),
    ] = False,
) -> None:
    """Check filled re-read lists and store the answers beside the first reads: all of them, or none."""
    from her2path.cli import qa_review_lists  # noqa: PLC0415  (as above)

    for line in qa_review_lists.take(out, lists, today=_today(), replace=replace):
        typer.echo(line)


def adjudicate(  # noqa: PLR0913, PLR0917  (one parameter an option)
    out: Out,
    table: Annotated[
        Path | None,
        typer.Argument(
            help="Table of decisions: case_id, by, date, ihc_score, call, why, although_contradictory; or "
            "one by options."
        ),
    ] = None,
    case: Annotated[str, typer.Option("--case", help="Case that was decided.")] = "",
    by: Annotated[str, typer.Option("--by", help="Pseudonym of who decided.")] = "",
    on: Annotated[
        str, typer.Option("--on", help="Date of the decision (YYYY-MM-DD); today without it.")
    ] = "",
    ihc_score: Annotated[str, typer.Option("--ihc-score", help="0, 1+, 2+ or 3+.")] = "",
    call: Annotated[str, typer.Option("--call", help="positive, negative, ...")] = "",
    why: Annotated[str, typer.Option("--why", help="What the decision rests on.")] = "",
    although_contradictory: Annotated[
        str,
        typer.Option("--although-contradictory", help="Why score and call hold although they contradict."),
    ] = "",
    again: Annotated[
        bool, typer.Option("--again", help="Decide on a case anew; the earlier decision is kept.")
    ] = False,
) -> None:
    """Record who decided on a case, when, what and why; first reads and their agreement stay as they are."""
    from her2path.cli import qa_adjudication  # noqa: PLC0415  (as above)

    texts = {
        **{"case_id": case, "by": by, "date": on, "ihc_score": ihc_score, "call": call, "why": why},
        "although_contradictory": although_contradictory,
    }
    order = qa_adjudication.Order(out, table, {name: text for name, text in texts.items() if text}, again)
    for line in qa_adjudication.adjudicate(order, today=_today()):
        typer.echo(line)


def _today() -> date:
    return datetime.now(tz=UTC).astimezone().date()


def add_to(app: typer.Typer) -> None:
    """Mount the commands."""
    app.command("reread")(reread)
    app.command("take")(take)
    app.command("adjudicate")(adjudicate)
