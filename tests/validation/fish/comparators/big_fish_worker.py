"""Big-FISH in its own environment: planes in, places and seconds out.  Imports nothing of this project.

Each line of the input names a NumPy file with ``plane`` and ``mpp``; the line of the answer names the
file with ``places`` and ``seconds``.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

SIGMA_UM = 0.19
"""Size of a spot that is stated to it: its `spot_radius`."""


def main() -> None:
    """Answer until the input ends."""
    # Only its own environment has it; every module here must load without.
    from bigfish import detection  # noqa: PLC0415

    for line in sys.stdin:
        given = np.load(line.strip())
        mpp = float(given["mpp"]) * 1000
        started = time.perf_counter()
        places = detection.detect_spots(
            images=given["plane"], voxel_size=(mpp, mpp), spot_radius=(1000 * SIGMA_UM, 1000 * SIGMA_UM)
        )
        seconds = time.perf_counter() - started
        answer = Path(line.strip()).with_suffix(".found.npz")
        np.savez(answer, places=np.asarray(places, np.float64).reshape(-1, 2) + 0.5, seconds=seconds)
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
