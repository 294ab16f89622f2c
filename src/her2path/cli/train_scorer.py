"""What `her2path train fit --scorer` does: fit the cuts of a model to scored cells, tiles and slides."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from her2path.io.scorer_document import ScorerDoc


def fit_cuts(manifest: Path, out: Path, *, stated: Mapping[str, object], config: Path | None) -> None:
    """Fit the cuts, write the folder of the model, and print what moved.

    `stated` are the settings that are given on the command line, over those of `config`.
    """
    # The imaging libraries would slow down every other command's help.
    from her2path.cli.step import execute, load_step  # noqa: PLC0415
    from her2path.config import Config, parse_config, read_config  # noqa: PLC0415
    from her2path.io.documents import read_document  # noqa: PLC0415
    from her2path.io.scorer_document import ScorerDoc  # noqa: PLC0415

    step = load_step("train_scorer")
    base = (Config() if config is None else read_config(config)).train_scorer
    params = parse_config({"train_scorer": base.model_dump() | dict(stated)}).train_scorer
    record = out / "fit.json"
    arguments = {"dataset": manifest, "weights": out / "weights.safetensors", "record": record}
    execute(step, arguments, params)
    _tell(read_document(record, ScorerDoc))
    typer.echo(f"model: {out} (compare it with the one in use: `her2path train evaluate {out}`)")


def _tell(made: ScorerDoc) -> None:
    for split, count in made.labels.items():
        typer.echo(
            f"{split}: {count.cells} scored cells ({count.missed} more were not found), {count.areas} scored "
            f"tiles and slides of {count.patients} patients"
        )
    for cut in made.cuts:
        between = "" if cut.low is None else f" (95 % interval {cut.low:g} to {cut.high:g})"
        typer.echo(f"{cut.name}: {cut.before:g} before, {cut.after:g} after{between}")
    for measure in made.measures:
        typer.echo(
            f"{measure.of} of the split `{measure.on}`, {measure.n}: exact "
            f"{measure.exact_before:.3f} before, {measure.exact_after:.3f} after"
        )
    if made.why_no_validation:
        typer.echo(f"whether the cuts became better is not known: {made.why_no_validation}")
