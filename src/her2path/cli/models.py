"""Commands `her2path models ...`: which learned models there are, and whether they are whole."""

from __future__ import annotations

from typing import Annotated

import typer

from her2path.cli.models_promote import promote

app = typer.Typer(help="Learned models: list, show, verify, promote.", no_args_is_help=True)
app.command("promote")(promote)
Name = Annotated[
    str, typer.Argument(help="Id of a model that ships with her2path or was promoted, or its folder.")
]


@app.command("list")
def list_models() -> None:
    """List the models that ship with her2path and those that were promoted, with the size of each."""
    # pydantic and the like would slow down every other command's help.
    from her2path.errors import ModelError  # noqa: PLC0415
    from her2path.io.model_store import known_ids, open_model  # noqa: PLC0415

    damaged = None
    for name in known_ids():
        try:
            model = open_model(name)
        except ModelError as error:
            # The others are listed all the same; the exit code says that one is not whole.
            damaged = error
            typer.echo(f"{name}\tnot usable: {error.detail}")
            continue
        card = model.card
        parent = "" if card.parent is None else f"\tfrom {card.parent.id}"
        typer.echo(
            f"{name}\t{model.origin}\t{card.architecture}\t{card.parameters} parameters\t"
            f"{card.mpp:g} µm/px{parent}"
        )
    if damaged is not None:
        raise typer.Exit(damaged.exit_code)


@app.command("show")
def show_model(name: Name) -> None:
    """Print the card of a model, below a comment that says where the model comes from."""
    from her2path.io.model_store import CARD, open_model  # noqa: PLC0415

    model = open_model(name)
    passed = f"; passed {', '.join(model.guards)}" if model.guards else ""
    typer.echo(f"# {model.card.id}: {model.origin}{passed}")
    typer.echo((model.folder / CARD).read_text(encoding="utf-8"), nl=False)


@app.command("verify")
def verify_model(name: Name) -> None:
    """Check that a model is whole: its card, its weights' digest, its architecture, and its evaluation.

    Of an evaluated model, weights, record of the training and every entry of the card must be as they were
    evaluated.
    """
    from her2path.imaging.nets.registry import architecture, check_weights  # noqa: PLC0415
    from her2path.io.model_entries import ModelOrigin  # noqa: PLC0415
    from her2path.io.model_store import open_model  # noqa: PLC0415
    from her2path.training.promotion import evaluated  # noqa: PLC0415

    model = open_model(name)
    found = architecture(model.card.architecture, model_id=model.card.id)
    check_weights(found, model.load_weights(), model_id=model.card.id)
    if model.origin is ModelOrigin.PROMOTED or model.card.evaluation is not None:
        evaluated(model)
    typer.echo(f"{model.card.id}: {model.origin}, whole, SHA-256 {model.card.sha256}")
