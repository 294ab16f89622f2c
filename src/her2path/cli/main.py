"""The command `her2path`: commands are mounted here, errors end here.

Nothing heavy is imported before a command runs, so that help comes at once.
"""

from __future__ import annotations

import errno
import logging
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from her2path.cli import (
    call,
    export,
    images,
    logs,
    models,
    phantom,
    qa,
    qupath,
    recount,
    run,
    selftest,
    train,
)
from her2path.errors import Her2PathError

log = logging.getLogger(__name__)
DEFECT_EXIT = 70
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM})
_NO_PLACE = frozenset({errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.EEXIST, errno.ENOENT})
app = typer.Typer(
    name="her2path",
    help="HER2 in breast cancer: IHC scoring, FISH counting, and the ASCO/CAP call with its evidence.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("run")(run.run)
app.command("call")(call.call)
app.command("ihc")(images.ihc)
app.command("fish")(images.fish)
app.command("selftest")(selftest.selftest)
app.add_typer(images.slide, name="slide")
app.add_typer(phantom.app, name="phantom")
app.add_typer(models.app, name="models")
app.add_typer(recount.app, name="recount")
app.add_typer(qa.app, name="qa")
app.add_typer(qupath.app, name="qupath")
app.add_typer(export.app, name="export")
app.add_typer(train.app, name="train")


@app.command("step", context_settings={"ignore_unknown_options": True, "help_option_names": []})
def step_command(
    name: Annotated[str, typer.Argument(help="Name of the step, for example ihc_cells.")],
    arguments: Annotated[list[str] | None, typer.Argument(help="--key value ...; --help lists them.")] = None,
) -> None:
    """Run one step of the workflow (what each Snakemake rule calls)."""
    # A step's machinery loads pyarrow and OpenCV, which no other help needs.
    from her2path.cli import step  # noqa: PLC0415

    loaded = step.load_step(name)
    values, params = step.parse_arguments(loaded, arguments or [])
    with logs.context(step=name, **_subject(values)), logs.concealing(_image_files(values)):
        try:
            step.execute(loaded, values, params)
        except (Her2PathError, OSError) as error:
            # The batch reads from the log who must act.
            message, exit_code = outcome(error)
            log.error("%s", message, extra={"exit_code": exit_code})
            sys.exit(exit_code)


def _subject(values: Mapping[str, object]) -> dict[str, str]:
    """Name what a step works on by the folder of its files: the image, or the case."""
    for key, name in (("slide", "image_id"), ("call", "case_id")):
        path = values.get(key)
        if isinstance(path, Path):
            return {name: path.parent.name}
    return {}


def _image_files(values: Mapping[str, object]) -> list[Path]:
    """Files whose names may name a patient: those of the image and its regions."""
    found = values.get("image")
    regions = (values.get(name) for name in ("tumour_roi", "exclude_roi"))
    return [
        path for path in (*(found if isinstance(found, list) else ()), *regions) if isinstance(path, Path)
    ]


@app.callback()
def _options(
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Log what is done, as JSON lines.")
    ] = False,
) -> None:
    logs.start(logging.INFO if verbose else logging.WARNING)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with the exit code of who must act."""
    try:
        app(args=None if argv is None else list(argv))
    except BrokenPipeError:
        sys.exit(1)
    except Exception as error:  # noqa: BLE001  (the outermost edge: a defect has an exit code of its own)
        message, exit_code = outcome(error)
        if exit_code == DEFECT_EXIT:
            traceback.print_exc()
        sys.stderr.write(f"her2path: {message}\n")
        sys.exit(exit_code)


def outcome(error: Exception) -> tuple[str, int]:
    """Say what to do about an error, and the exit code for it."""
    if isinstance(error, Her2PathError):
        return str(error), error.exit_code
    number = error.errno if isinstance(error, OSError) else None
    reason = error.strerror if isinstance(error, OSError) else ""
    if number in _FULL:
        remedy = "free space (or the right to write) and repeat the command: finished steps are kept"
        return f"the results cannot be written ({reason}); {remedy}", 5
    if number in _NO_PLACE:
        return f"this path cannot be used ({reason}); give another folder or file", 2
    return f"defect of her2path, please report it: {error!r}", DEFECT_EXIT


if __name__ == "__main__":
    main()
