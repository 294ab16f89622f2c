"""Command `her2path train evaluate`: measure a model beside the one in use."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from her2path.io.evaluation_documents import EvaluationDoc


def evaluate(
    folder: Annotated[Path, typer.Argument(help="Folder of a trained model: weights.safetensors, fit.json.")],
    dataset: Annotated[
        Path | None,
        typer.Option("--dataset", help="Manifest of labelled images; its split `test` is measured."),
    ] = None,
    against: Annotated[
        str | None, typer.Option("--against", help="Model now in use (default: the one that ships).")
    ] = None,
    guard: Annotated[
        list[Path] | None, typer.Option("--guard", help="Guard set of your own, beside the one that ships.")
    ] = None,
) -> None:
    """Compare a model with the one in use on the guard set and on your own images; write its card.

    Writes `evaluation.json`, `evaluation.html` and `model.yaml` into the folder.
    """
    # Loads the imaging libraries, which help need not wait for.
    from her2path.cli.step import execute, load_step  # noqa: PLC0415
    from her2path.io.documents import read_document  # noqa: PLC0415
    from her2path.io.evaluation_documents import EvaluationDoc  # noqa: PLC0415
    from her2path.io.guard_set import shipped_guard  # noqa: PLC0415

    logging.getLogger("her2path").setLevel(logging.INFO)
    step = load_step("train_evaluate")
    folder = folder.absolute()
    evaluation = folder / "evaluation.json"
    arguments = {
        "weights": folder / "weights.safetensors",
        "record": folder / "fit.json",
        "dataset": dataset,
        "guards": [shipped_guard(), *(guard or [])],
        "evaluation": evaluation,
        "page": folder / "evaluation.html",
        "card": folder / "model.yaml",
    }
    execute(step, arguments, step.params() if against is None else step.params(against=against))
    _tell(read_document(evaluation, EvaluationDoc))
    typer.echo(f"page: {folder / 'evaluation.html'}")


def _tell(found: EvaluationDoc) -> None:
    """Print the main figures and the verdicts; the page has the rest."""
    for part in found.sets:
        typer.echo(f"{part.kind} {part.name}, {len(part.items)} pictures")
        for row in part.figures:
            old, difference = row.old[0], row.difference[0]
            typer.echo(
                f"  {row.title}: {_number(row.new.value)} (before {_number(old.value)}; difference "
                f"{_number(difference.value, sign=True)}, {_number(difference.low, sign=True)} to "
                f"{_number(difference.high, sign=True)})"
            )
        for verdict in part.verdicts:
            lost = ", ".join(row.figure for row in verdict.margins if not row.passed)
            words = "passed" if verdict.passed else f"NOT passed: {lost}"
            typer.echo(f"  against {verdict.compared_with.id}: {words}")


def _number(value: float | None, *, sign: bool = False) -> str:
    return "–" if value is None else f"{value:+.3f}" if sign else f"{value:.3f}"
