"""Command `her2path train fit`: fine-tune a model from the labels of a dataset."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from her2path.cli.train_scorer import fit_cuts
from her2path.domain.number_words import counted
from her2path.errors import ConfigError

if TYPE_CHECKING:
    from her2path.training.finetune_record import ComparedEntry, FinetuneDoc

_STEP = "train_finetune"
_OF_SCORER = ("model", "seed")
"""Options that the scorer has as well."""


def fit(  # noqa: PLR0913  (one parameter an option)
    dataset: Annotated[
        Path, typer.Argument(help="manifest.json of `her2path train dataset`, or its folder.")
    ],
    *,
    out: Annotated[Path, typer.Option("--out", help="Folder of the model; its name is the model's id.")],
    scorer: Annotated[
        bool,
        typer.Option("--scorer", help="Leave the network; fit its cuts to scored cells, tiles and slides."),
    ] = False,
    model: Annotated[
        str | None,
        typer.Option("--model", help="Model to begin with: an id, or a folder (default: shipped)."),
    ] = None,
    epochs: Annotated[int | None, typer.Option("--epochs", help="Epochs at most.")] = None,
    steps: Annotated[int | None, typer.Option("--steps", help="Steps of an epoch.")] = None,
    patience: Annotated[
        int | None, typer.Option("--patience", help="Epochs without a better figure before it stops.")
    ] = None,
    rate: Annotated[float | None, typer.Option("--rate", help="Highest learning rate.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Same seed and data, same weights.")] = None,
    device: Annotated[
        str | None, typer.Option("--device", help="cpu, cuda, or auto: GPUs where there are any.")
    ] = None,
    devices: Annotated[
        int | None, typer.Option("--devices", help="GPUs to use (default: all); without one, processes.")
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option("--threads", help="Threads of torch on the CPU; another number, other digits."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", help="Processes that prepare patches; change no result.")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config", help="YAML with a section `train_finetune` (`train_scorer`) for everything else."
        ),
    ] = None,
) -> None:
    """Fine-tune the segmentation network from labelled cells, areas and masks, or fit the scorer.

    Writes `weights.safetensors`, `fit.json`, `losses.csv` and `curves.svg`; TensorBoard reads
    `work/tensorboard`.  A run that was stopped goes on after its last epoch when the same command is
    given again.
    """
    # The imaging libraries would slow down every other command's help.
    from her2path.config import Config, parse_config, read_config  # noqa: PLC0415
    from her2path.steps.train_finetune import run  # noqa: PLC0415
    from her2path.training.finetune_hardware import is_first_process  # noqa: PLC0415
    from her2path.training.finetune_record import CURVES, LOSSES, RECORD, WEIGHTS, read_finetune  # noqa: PLC0415

    given = {
        "model": model,
        "epochs": epochs,
        "steps": steps,
        "patience": patience,
        "rate": rate,
        "seed": seed,
        "device": device,
        "devices": devices,
        "threads": threads,
        "workers": workers,
    }
    stated = {name: value for name, value in given.items() if value is not None}
    manifest = _manifest_of(dataset)
    if scorer:
        if strange := [f"--{name}" for name in stated if name not in _OF_SCORER]:
            detail = f"{', '.join(strange)}: of the network, which --scorer leaves as it is; leave it out"
            raise ConfigError((detail,))
        fit_cuts(manifest, out.absolute(), stated=stated, config=config)
        return
    base = (Config() if config is None else read_config(config)).train_finetune
    params = parse_config({_STEP: base.model_dump() | stated}).train_finetune
    out = out.absolute()
    _show_epochs()
    run(
        dataset=manifest,
        weights=out / WEIGHTS,
        losses=out / LOSSES,
        curves=out / CURVES,
        record=out / RECORD,
        params=params,
    )
    if not is_first_process():
        return
    _tell(read_finetune(out / RECORD))
    typer.echo(f"model: {out} (compare it with the one in use: `her2path train evaluate {out}`)")


def _manifest_of(dataset: Path) -> Path:
    manifest = dataset / "manifest.json" if dataset.is_dir() else dataset
    if not manifest.is_file():
        raise ConfigError(
            (f"dataset: {str(manifest)!r} is not there; make it with `her2path train dataset` first",)
        )
    return manifest


def _show_epochs() -> None:
    """Show the line of each epoch as plain words, unless --verbose shows all of them as JSON."""
    package = logging.getLogger("her2path")
    if package.level <= logging.INFO:
        return
    for name in ("her2path.steps.train_finetune", "her2path.training"):
        logger = logging.getLogger(name)
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(message)s"))
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(logging.INFO)


def _tell(made: FinetuneDoc) -> None:
    """Print what was taught and what became of it."""
    taught = ", ".join(f"{count} {name}" for name, count in made.taught["train"].items())
    typer.echo(f"taught: {taught}")
    typer.echo(
        f"{counted(made.epochs, 'epoch')}{', stopped early' if made.stopped_early else ''}; ", nl=False
    )
    if made.best_epoch == 0:
        typer.echo(f"none was better than {made.started_from.id}, whose weights were kept")
    else:
        typer.echo(f"kept: epoch {made.best_epoch}")
    if made.figure is None:
        typer.echo("the split `val` has no labels: whether the model became better is not known")
    else:
        _tell_one(made.figure)
    _tell_one(made.guard)


def _tell_one(found: ComparedEntry) -> None:
    before, after = (
        "–" if entry.value is None else f"{entry.value:.3f}" for entry in (found.before, found.after)
    )
    typer.echo(f"{found.name}, {found.on}: {before} before, {after} after")
