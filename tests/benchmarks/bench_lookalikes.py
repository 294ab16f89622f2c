"""How many pictures of the same tissue are found, by what was done to them: phantoms and real cores.

python -m tests.benchmarks lookalikes
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import cv2
import numpy as np

from her2path.imaging.lookalikes import find_lookalikes, fingerprint
from her2path.io.slides.opening import open_slide
from her2path.io.slides.source import WorkingBox
from tests.support.labelled_phantoms import labelled

SIDE = 256
PICTURES = 48
CORES = Path(os.environ.get("HER2PATH_REAL_DATA", "../shared/data")) / "ihc_cores"


def cut(field, row=0, col=0):
    return np.ascontiguousarray(field[row : row + SIDE, col : col + SIDE])


def compressed(rgb, quality):
    data = cv2.imencode(".jpg", np.ascontiguousarray(rgb), [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return cv2.imdecode(data, cv2.IMREAD_COLOR)


def recoloured(rgb):
    od = -np.log10((rgb.astype(np.float64) + 1) / 256) * (1.2, 0.9, 1.1)
    return np.clip(256 * 10**-od - 1, 0, 255).astype(np.uint8)


CHANGES = {
    "compressed, quality 40": lambda f: compressed(cut(f), 40),
    "a quarter turn": lambda f: np.rot90(cut(f)),
    "mirrored, quality 70": lambda f: compressed(cut(f)[:, ::-1], 70),
    "re-coloured": lambda f: recoloured(cut(f)),
    "blurred by 1 µm": lambda f: cv2.GaussianBlur(cut(f), (0, 0), 2),
    "half in common": lambda f: cut(f, SIDE // 2),
    "a quarter in common, quality 60": lambda f: compressed(cut(f, SIDE // 2, SIDE // 2), 60),
    "an eighth in common": lambda f: cut(f, 7 * SIDE // 8),
    "a neighbour (nothing in common)": lambda f: cut(f, SIDE),
}


def phantom_fields():
    return [labelled(3000 + number, side_px=2 * SIDE).rgb for number in range(PICTURES)]


def core_fields():
    """Six fields of each core, all of them on tissue."""
    fields = []
    for path in sorted(CORES.glob("*.tif")):
        with open_slide(path, name=path.stem) as slide:
            whole = slide.read(WorkingBox(0, 0, 2734, 2734), downsample=2.0)
        for row in (800, 1400):
            fields += [
                np.ascontiguousarray(whole[row : row + 512, col : col + 512]) for col in (500, 1100, 1700)
            ]
    return fields


def found_of(fields, change):
    pictures = [np.ascontiguousarray(p) for field in fields for p in (cut(field), change(field))]
    pairs = {(p.one, p.other) for p in find_lookalikes([fingerprint(picture) for picture in pictures])}
    own = {(2 * number, 2 * number + 1) for number in range(len(fields))}
    return len(pairs & own), len(pairs - own)


def write(line):
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main():
    cv2.setNumThreads(1)
    sets = {"phantoms": phantom_fields()}
    if CORES.is_dir():
        sets["cores"] = core_fields()
    write(f"| done to a picture of 128 µm | {' | '.join(f'{name}: found, false' for name in sets)} |")
    write("|---|" + "---|" * len(sets))
    started = time.perf_counter()
    for name, change in CHANGES.items():
        cells = []
        for fields in sets.values():
            own, others = found_of(fields, change)
            cells.append(f"{own} of {len(fields)}, {others}")
        write(f"| {name} | {' | '.join(cells)} |")
    each = 1000 * (time.perf_counter() - started) / (2 * sum(map(len, sets.values())) * len(CHANGES))
    write(f"{each:.1f} ms a picture on one thread, comparison included")


if __name__ == "__main__":
    main()
