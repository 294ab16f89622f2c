"""Run the Snakemake workflow as a child process, show its progress, and read its outcome."""

from __future__ import annotations

import fcntl
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from her2path.cli.step import DEFECT
from her2path.config import Config
from her2path.errors import ConfigError, Her2PathError
from her2path.io.documents import CallDoc, read_document
from her2path.io.files import write_text

_PROGRESS = re.compile(r"(\d+) of (\d+) steps \(\d+%\) done")
_RULE = re.compile(r"^(?:local)?rule (\w+):")
_WILDCARD = re.compile(r"^\s+wildcards: \w+=(\S+)")


class WorkflowError(Her2PathError):
    """Some step could not do its work for a reason that is not an image's; the operator must act."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@contextmanager
def locked(out: Path) -> Iterator[int]:
    """Hold the results folder for one run; give the lock's descriptor.

    The workflow inherits it: should this process be killed, the folder stays locked until the
    orphan has ended, and not a moment longer.
    """
    if out.exists() and not out.is_dir():
        raise ConfigError((f"{out.name!r} is a file; give a folder for --out",))
    out.mkdir(parents=True, exist_ok=True)
    with (out / ".her2path.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConfigError(
                (f"another run is writing to {out.name!r}; wait for it or choose another --out",)
            ) from error
        yield file.fileno()


@dataclass(frozen=True, slots=True)
class Workflow:
    """How the workflow is run."""

    cores: int
    profile: str | None
    dry_run: bool
    lock: int
    """Descriptor of the lock on the results folder."""


def start(config: Config, case_ids: Sequence[str], how: Workflow, *, stale: Sequence[Path] = ()) -> None:
    """Run the workflow to its end.

    Parameters
    ----------
    config : Config
    case_ids : sequence of str
        Of the case sheet.
    how : Workflow
    stale : sequence of Path
        Files of the results that are made again although Snakemake's records call them up to date.

    Raises
    ------
    ConfigError
        There is no such profile.
    WorkflowError
        A step failed for another reason than its image; finished steps are kept.
    """
    logs = config.out / "logs"
    started = time.time_ns()
    for folder in ("images", "cases"):
        # What a killed step had begun; nobody else writes here while the folder is locked.
        for left in (config.out / folder).rglob(".*.part"):
            left.unlink()
    settings = logs / "config.json"
    write_text(settings, config.model_dump_json(indent=1) + "\n")
    command = [
        *(sys.executable, "-m", "snakemake"),
        *("--snakefile", str(_snakefile())),
        *("--configfile", str(settings)),
        # Its own records too belong to the results, not to where the command was typed.
        *("--directory", str(config.out)),
        *("--cores", str(how.cores)),
        # `locked` already keeps a second run away, and it survives a kill.
        "--nolock",
        "--keep-going",
        "--rerun-incomplete",
        # 20 ms a job instead of 60 with thousands of jobs; the jobs of a batch are all alike.
        *("--scheduler", "greedy"),
    ]
    if how.profile is not None:
        command += ["--profile", _known_profile(how.profile)]
    if how.dry_run:
        command += ["--dry-run", "--quiet", "rules"]
    elif _made_by_another_version(config.out, case_ids):
        command += ["--forceall"]
    if stale:
        command += ["--forcerun", *(str(path.relative_to(config.out)) for path in stale)]
    code = _follow(command, logs / "snakemake.log", how)
    if code != 0:
        raise workflow_error(logs, since_ns=started)


def _known_profile(profile: str) -> str:
    # Snakemake itself ends with a code that says nothing of who must act.
    from snakemake.cli import get_profile_dir  # noqa: PLC0415  (only clusters need it)

    if get_profile_dir(profile) is None:
        remedy = "give the folder that holds its config.yaml, or a name that Snakemake knows"
        raise ConfigError((f"--profile {profile!r} cannot be found; {remedy}",))
    return profile


def _snakefile() -> Path:
    """Find the workflow: inside an installed package, or at the top of a checkout."""
    packaged = Path(str(files("her2path") / "_workflow" / "Snakefile"))
    return packaged if packaged.is_file() else Path(__file__).resolve().parents[3] / "Snakefile"


def _made_by_another_version(out: Path, case_ids: Sequence[str]) -> bool:
    calls = [out / "cases" / case_id / "call.json" for case_id in case_ids]
    for path in (path for path in calls if path.is_file()):
        try:
            made_by = json.loads(path.read_text(encoding="utf-8"))["produced_by"]["version"]
        except (OSError, ValueError, KeyError, TypeError):
            return True
        if made_by != version("her2path"):
            return True
    return False


def _follow(command: Sequence[str], log: Path, how: Workflow) -> int:
    """Run `command`, keep its output in `log`, and show how far it is."""
    # The rules call `her2path`: that of this very environment.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    env = {**os.environ, "PATH": path, "PYTHONUNBUFFERED": "1"}
    echo = how.dry_run
    columns = (TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with (
        log.open("w", encoding="utf-8") as record,
        Progress(*columns, console=console, disable=echo) as progress,
        subprocess.Popen(  # noqa: S603  (our own interpreter and workflow, no shell)
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=env,
            text=True,
            pass_fds=(how.lock,),
        ) as child,
    ):
        task = progress.add_task("reading the case sheet", total=None)
        rule = ""
        assert child.stdout is not None  # noqa: S101  (it was asked for above)
        for line in child.stdout:
            record.write(line)
            if echo:
                console.print(line.rstrip(), markup=False, highlight=False)
            if found := _RULE.match(line):
                rule = found[1]
                progress.update(task, description=rule)
            elif found := _WILDCARD.match(line):
                progress.update(task, description=f"{rule} {found[1]}")
                if not console.is_terminal and not echo:
                    console.print(f"{rule} {found[1]}", markup=False, highlight=False)
            elif found := _PROGRESS.search(line):
                progress.update(task, completed=int(found[1]), total=int(found[2]))
        return child.wait()


def workflow_error(logs: Path, *, since_ns: int = 0) -> WorkflowError:
    """Find in the logs of the steps, of this run alone, who must act."""
    worst: tuple[int, str] | None = None
    written = sorted(logs.glob("*/*.log")) + sorted(logs.glob("cohort_report.log"))
    for path in (path for path in written if path.stat().st_mtime_ns >= since_ns):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict) and "exit_code" in entry:
                worst = max(
                    worst or (0, ""), (int(entry["exit_code"]), f"{path.parent.name}: {entry['message']}")
                )
    if worst is None:
        return WorkflowError("the workflow failed; logs/snakemake.log in the results folder says why", 70)
    return WorkflowError(worst[1], worst[0])


def read_calls(out: Path, case_ids: Sequence[str]) -> list[CallDoc]:
    """Read the calls of all cases in the sheet's order."""
    return [read_document(out / "cases" / case_id / "call.json", CallDoc) for case_id in case_ids]


def exit_code_of(calls: Sequence[CallDoc]) -> int:
    """0: all cases evaluated; 1: some not evaluable; 70: her2path itself failed on one."""
    reasons = [reason.code for call in calls for reason in call.reasons.values()]
    if DEFECT in reasons:
        return 70
    return 1 if any(call.status == "not_evaluable" for call in calls) else 0
