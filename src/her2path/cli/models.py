"""Commands `her2path models ...`: which learned models there are, and whether they are whole."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(help="Learned models: list, show, verify.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="Id of a model that ships with her2path, or its folder.")]


@app.command("list")
def list_models() -> None:
    """List the models that ship with her2path, with the size and use of each."""
    # pydantic and the like would slow down every other command's help.
    from her2path.io.model_store import model_ids, open_model  # noqa: PLC0415

    for name in model_ids():
        card = open_model(name).card
        typer.echo(f"{name}\t{card.architecture}\t{card.parameters} parameters\t{card.mpp:g} µm/px")


@app.command("show")
def show_model(name: Name) -> None:
    """Print the card of a model."""
    from her2path.io.model_store import CARD, open_model  # noqa: PLC0415

    typer.echo((open_model(name).folder / CARD).read_text(encoding="utf-8"), nl=False)


@app.command("verify")
def verify_model(name: Name) -> None:
    """Check that a model is whole: its card, its weights' digest, its architecture."""
    from her2path.imaging.nets.registry import architecture, check_weights  # noqa: PLC0415
    from her2path.io.model_store import open_model  # noqa: PLC0415

    model = open_model(name)
    found = architecture(model.card.architecture, model_id=model.card.id)
    check_weights(found, model.load_weights(), model_id=model.card.id)
    typer.echo(f"{model.card.id}: whole, SHA-256 {model.card.sha256}")
