"""Checkpoints of a fine-tuning: one at the end of each epoch, whole or not at all, of one run only."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Checkpoint

from her2path.errors import ArtefactError

CHECKPOINT = "checkpoint.ckpt"
_KEY = "her2path_key"
_ANOTHER_OUT = "give another `--out`, which keeps it, or remove it to begin anew"
_ARCHITECTURE = "architecture"


class KeepEveryEpoch(Checkpoint):
    """Keep a checkpoint at the end of each epoch.

    Parameters
    ----------
    path : Path
    key : mapping of str to str
        Everything that two runs must share for one to go on with the other's checkpoint.
    """

    def __init__(self, path: Path, key: Mapping[str, str]) -> None:
        self.path, self.key = path, dict(key)

    def on_save_checkpoint(
        self,
        trainer: lightning.Trainer,  # noqa: ARG002 (Lightning's signature)
        pl_module: lightning.LightningModule,  # noqa: ARG002
        checkpoint: dict[str, Any],
    ) -> None:
        """Say of which fine-tuning it is."""
        checkpoint[_KEY] = self.key

    def on_train_epoch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,  # noqa: ARG002 (Lightning's signature)
    ) -> None:
        """Write it beside the last one, then rename it: a kill leaves one of both."""
        part = self.path.with_name(f".{self.path.name}.part")
        trainer.save_checkpoint(part)
        if trainer.is_global_zero:
            part.replace(self.path)


def read_checkpoint(path: Path, key: Mapping[str, str]) -> dict[str, Any] | None:
    """Read the checkpoint of a run that was stopped.

    Parameters
    ----------
    path : Path
    key : mapping of str to str
        As it was given to `KeepEveryEpoch`.

    Returns
    -------
    dict or None
        None where there is no checkpoint.

    Raises
    ------
    ArtefactError
        It is damaged, or of another fine-tuning: of another architecture, model, dataset or recipe.
    """
    if not path.is_file():
        return None
    name = "/".join(path.parts[-3:])
    try:
        kept: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        found = dict(kept[_KEY])
    except (
        OSError,
        RuntimeError,
        KeyError,
        TypeError,
        ValueError,
        EOFError,
        pickle.UnpicklingError,
    ) as error:
        detail = f"is no checkpoint of a fine-tuning ({type(error).__name__})"
        raise ArtefactError(name, detail, _ANOTHER_OUT) from error
    if found.get(_ARCHITECTURE) != key[_ARCHITECTURE]:
        raise ArtefactError(
            name,
            f"is of the architecture {found.get(_ARCHITECTURE)!r}, the model is of {key[_ARCHITECTURE]!r}",
            f"to go on with it, begin with a model of its architecture; otherwise {_ANOTHER_OUT}",
        )
    other = sorted(part for part, value in key.items() if found.get(part) != value)
    if other:
        raise ArtefactError(
            name,
            f"is of another fine-tuning (another {', '.join(other)})",
            _ANOTHER_OUT,
        )
    return kept
