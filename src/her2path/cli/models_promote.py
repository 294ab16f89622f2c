"""Command `her2path models promote`: take a retrained model into use."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def promote(
    folder: Annotated[Path, typer.Argument(help="Folder of a trained and evaluated model.")],
) -> None:
    """Copy a model into your models folder, if it is not worse than the one in use on the guard set.

    It is then used by its id: `ihc_cells: {model: ID}` in the configuration.  HER2PATH_MODELS names the
    folder of promoted models.
    """
    # OpenVINO and pydantic would slow down every other command's help.
    from her2path.io.guard_set import shipped_guard  # noqa: PLC0415
    from her2path.training.promotion import promote as take  # noqa: PLC0415

    record, target = take(folder, guard=shipped_guard())
    passed = ", ".join(dict.fromkeys(guard.id for guard in record.guards))
    typer.echo(f"{record.id}: promoted to {target}; passed {passed} against {record.compared_with.id}")
    typer.echo(f"use it with `ihc_cells: {{model: {record.id}}}` in the configuration")
