"""Big-FISH, in an environment of its own: it asks for other versions of libraries.

The environment is made at the first use.

References
----------
.. [1] Imbert et al., RNA 28:786 (2022).
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tests.validation.store import ROOT

PACKAGE = "big-fish==0.6.2"
ENVIRONMENT = ROOT / "results" / "validation" / "big_fish_environment"
WORKER = Path(__file__).with_name("big_fish_worker.py")

Floats = npt.NDArray[np.float64]


class NotInstalledError(RuntimeError):
    """Big-FISH could not be installed here, so it has no column."""


def installed() -> Path:
    """Python of the environment, made if it is not there yet."""
    python = ENVIRONMENT / "bin" / "python"
    works = [str(python), "-c", "import bigfish.detection"]
    if python.exists() and not subprocess.run(works, capture_output=True, check=False).returncode:
        return python
    venv.create(ENVIRONMENT, with_pip=True)
    install = [str(python), "-m", "pip", "install", "--quiet", PACKAGE]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotInstalledError(done.stderr.strip().splitlines()[-1])
    return python


class BigFish:
    """Spots by its automatic threshold, given the pixel size and the size of a spot."""

    name = "Big-FISH"

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._worker = subprocess.Popen(
            [str(installed()), str(WORKER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._count = 0

    def spots(self, plane: npt.NDArray[np.uint16], *, mpp: float) -> tuple[Floats, float]:
        """Places (row, column; pixel edges at integers) and the seconds it took."""
        if self._worker.stdin is None or self._worker.stdout is None:
            raise RuntimeError("the worker has no pipes")
        self._count += 1
        file = Path(self._folder.name) / f"{self._count}.npz"
        np.savez(file, plane=plane, mpp=mpp)
        self._worker.stdin.write(f"{file}\n")
        self._worker.stdin.flush()
        answer = self._worker.stdout.readline().strip()
        if not answer:
            raise RuntimeError("Big-FISH ended; see its message above")
        found = np.load(answer)
        return found["places"], float(found["seconds"])

    def close(self) -> None:
        """End the worker."""
        if self._worker.stdin is not None:
            self._worker.stdin.close()
        self._worker.wait()
        self._folder.cleanup()
        sys.stdout.flush()
