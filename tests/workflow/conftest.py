"""The demo, run once for all tests that look at its results."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Run:
    """A finished `her2path run`."""

    out: Path
    code: int
    stdout: str
    stderr: str


def her2path_run(sheet: Path, out: Path, *options: str, cwd: Path | None = None) -> Run:
    command = [sys.executable, "-m", "her2path.cli.main", "run", str(sheet), "--out", str(out), *options]
    env = {**os.environ, "COLUMNS": "200"}
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=cwd, env=env)
    return Run(out, done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session")
def demo(sample_data, tmp_path_factory) -> Run:
    """Results of the main job on the sample cases."""
    return her2path_run(sample_data / "cases.tsv", tmp_path_factory.mktemp("demo"), "--cores", "2")
