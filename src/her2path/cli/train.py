"""Commands `her2path train ...`: from labelled images to a model.

Each command lies in a file of its own and is mounted here.
"""

from __future__ import annotations

import typer

from her2path.cli.train_dataset import dataset_command
from her2path.cli.train_evaluate import evaluate
from her2path.cli.train_fit import fit
from her2path.cli.train_next import next_command

app = typer.Typer(help="Train a model on your own labels.", no_args_is_help=True)
app.command("dataset")(dataset_command)
app.command("fit")(fit)
app.command("evaluate")(evaluate)
app.command("next")(next_command)
