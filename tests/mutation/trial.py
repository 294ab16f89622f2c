"""One mutant before the tests: in a process of its own, and never on disk.

The changed module is handed to Python by an import hook, so that the working tree stays as it is.
"""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.machinery
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import CodeType, FrameType, ModuleType

import pytest

from tests.mutation.mutants import Mutant

SECONDS = 180
"""A mutant that runs for longer loops for ever."""


class Verdict(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    """A test failed."""
    INVALID = "invalid"
    """The package cannot even be imported: no test had to find it, so it does not count."""
    SURVIVED = "survived"


@dataclass(frozen=True)
class Result:
    """A mutant's fate."""

    key: str
    verdict: Verdict
    by: str
    """The test that killed it, or the error of the import."""


@dataclass(frozen=True)
class Stage:
    """Tests that are run together."""

    files: Sequence[Path]
    only: str = ""
    """Leave out the tests whose id does not contain this."""


class _OneModule(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def __init__(self, name: str, code: CodeType) -> None:
        self.name = name
        self.code = code

    def find_spec(
        self,
        fullname: str,
        _path: Sequence[str] | None,
        _target: ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        return importlib.machinery.ModuleSpec(fullname, self) if fullname == self.name else None

    def exec_module(self, module: ModuleType) -> None:
        exec(self.code, module.__dict__)  # noqa: S102  (the mutant is the project's own source)


class _FirstFailure:
    """A pytest plugin that remembers which test failed."""

    name = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.name:
            self.name = report.nodeid

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed and not self.name:
            self.name = report.nodeid


_PYTEST = ("-x", "-q", "-p", "no:cacheprovider", "--tb=no", "--assert=plain")


def load_plugins(test: Path) -> None:
    """Load pytest with all that it loads, by a test that imports nothing of what is mutated."""
    with _quiet():
        pytest.main([*_PYTEST, "--collect-only", str(test)])


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with (
        Path(os.devnull).open("w") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
    ):
        yield


def _too_long(_signum: int, _frame: FrameType | None) -> None:
    raise TimeoutError(f"longer than {SECONDS} s")


def judge(mutant: Mutant, source: str, stages: Sequence[Stage], *, package: str) -> Result:
    """Run the tests on a mutant, stage by stage, until one fails; to be called in a fresh process.

    Parameters
    ----------
    mutant : Mutant
        The change.
    source : str
        The module as it is.
    stages : sequence of Stage
        The quick ones first.
    package : str
        Module whose import loads all that may be mutated.
    """
    signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(SECONDS)
    code = compile(mutant.tree(source), f"<{mutant.key}>", "exec", dont_inherit=True)
    sys.meta_path.insert(0, _OneModule(mutant.module, code))
    with _quiet():
        try:
            importlib.import_module(package)
        except Exception as error:  # noqa: BLE001  (whatever a mutant raises, it is the finding)
            return Result(mutant.key, Verdict.INVALID, f"{type(error).__name__}: {error}"[:200])
        for stage in stages:
            first = _FirstFailure()
            arguments = [*_PYTEST, *map(str, stage.files), *(["-k", stage.only] if stage.only else [])]
            if pytest.main(arguments, plugins=[first]) != pytest.ExitCode.OK:
                return Result(mutant.key, Verdict.KILLED, first.name)
    return Result(mutant.key, Verdict.SURVIVED, "")
