"""How far a faultless reading of what borders *show* is from what cells *express*.

``python -m tests.benchmarks shown_borders`` composes the development slides of the validation and
looks at no picture: what remains is the error of the question, not of an answer (decision 7).
"""

from __future__ import annotations

import sys
from collections import Counter

import numpy as np

from her2path.cli.phantom_ihc import expected_call
from her2path.domain.ihc import IhcTally, StainingClass
from her2path.imaging.phantoms.ihc import IhcPhantom, render_ihc
from tests.validation.ihc.agreement import shown_staining
from tests.validation.ihc.slides import borderline_slides, scored_slides


def shares(tally: IhcTally) -> np.ndarray:
    """Per cent of the cells in each class."""
    return np.array([100 * tally.of_class(item) / max(tally.total, 1) for item in StainingClass])


def error_of(phantom: IhcPhantom) -> tuple[float, bool]:
    """Mean absolute error of the percentages, and whether the score is the true one."""
    shown, expressed = IhcTally(Counter(shown_staining(phantom))), phantom.truth.expressed
    same = expected_call(shown).ihc_score == expected_call(expressed).ihc_score
    return float(np.abs(shares(shown) - shares(expressed)).mean()), same


def main() -> None:
    """Print a line for each group of slides."""
    for name, slides in (
        ("scored", scored_slides(development=True)),
        ("borderline", borderline_slides(development=True)),
    ):
        errors, same = zip(*(error_of(render_ihc(slide.spec)) for slide in slides), strict=True)
        sys.stdout.write(
            f"{name}: percentages {np.mean(errors):.1f} points off, "
            f"score equal on {sum(same)} of {len(same)}\n"
        )


if __name__ == "__main__":
    main()
