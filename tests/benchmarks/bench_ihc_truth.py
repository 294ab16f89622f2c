"""IHC scores against the truth of phantoms: every style, score, pixel size and architecture.

The seeds are used nowhere else.  The truth is what the cells *express*; a border shows the sum of
two neighbours, so the percentages of a perfect reader would not be zero apart either.  These are
phantoms: agreement here is necessary, it is no evidence of accuracy on tissue.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np

from her2path.cli import chain, phantom_ihc
from her2path.config import Config
from her2path.domain.case import Assay
from her2path.domain.ihc import StainingClass
from her2path.imaging.phantoms.ihc_spec import STYLES
from her2path.io.case_sheet import ImageRow
from her2path.io.documents import IhcScoreDoc, read_document

FIRST_SEED = 770_000
SCORES = ("null", "ultralow", "1+", "2+", "3+")
SIDE_UM = 640


def measured(folder: Path, seed: int, style: str, score: str, mpp: float) -> tuple[str, str, float, float]:
    """Return true and found score, mean absolute error of the classes (points), and stained (points)."""
    side = int(SIDE_UM / mpp)
    mix = phantom_ihc.choose_classes(score, ())
    spec = phantom_ihc.check_spec(seed=seed, width_px=side, height_px=side, mpp=mpp, classes=mix, style=style)
    if seed % 3 == 0:
        spec = replace(spec, architecture="glandular")
    phantom = phantom_ihc.write_ihc(folder, spec)
    expected = phantom_ihc.expected_call(phantom.truth.expressed)
    row = ImageRow(case_id="c", image_id="i", assay=Assay.IHC, path=(folder / "slide.tif",))
    why = chain.run_image(row, folder, Config(), workers=2)
    name = f"{expected.ihc_score} {expected.her2_category or ''}".strip()
    if why is not None:
        return name, why.code, float("nan"), float("nan")
    result = read_document(folder / "images" / "i" / "ihc_score.json", IhcScoreDoc).result
    assert result is not None
    truth = {cls.value: pct for cls, pct in phantom.truth.percentages.items()}
    errors = [abs(result.percentages[cls.value].pct - truth[cls.value]) for cls in StainingClass]
    blank = result.percentages["stained"].pct <= result.limit_of_blank_pct
    found = {"0": " null" if blank else " ultralow"}.get(result.score.value, "")
    category = {"1+": " low", "3+": " positive"}.get(result.score.value, "")
    stained = result.percentages["stained"].pct - (100 - truth["none"])
    return name, f"{result.score.value}{found}{category}", float(np.mean(errors)), stained


def main() -> None:
    """Print a line per phantom and the agreement over all."""
    rows = []
    combinations = list(product(STYLES, SCORES, (0.25, 0.5)))
    for number, (style, score, mpp) in enumerate(combinations):
        with tempfile.TemporaryDirectory() as name:
            found = measured(Path(name), FIRST_SEED + number, style, score, mpp)
        rows.append(found)
        same = "" if found[0] == found[1] else "  <- differs"
        sys.stdout.write(
            f"{style:<8} {mpp:4} µm/px  true {found[0]:<12} found {found[1]:<14}"
            f" class error {found[2]:5.1f}  stained {found[3]:+5.1f}{same}\n"
        )
        sys.stdout.flush()
    score = sum(true.split()[0] == found.split()[0] for true, found, _, _ in rows)
    exact = sum(true == found for true, found, _, _ in rows)
    error = float(np.nanmean([row[2] for row in rows]))
    sys.stdout.write(
        f"{len(rows)} phantoms: score equal {score}, category too {exact}, class error {error:.1f} points\n"
    )


if __name__ == "__main__":
    main()
