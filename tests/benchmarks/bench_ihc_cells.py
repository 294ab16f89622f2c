"""Single cells of IHC phantoms against their truth: found, outlined, stained, graded.

For development: the seeds are those of tuning, not of validation.  ``python -m
tests.benchmarks ihc_cells`` prints a line per stain style; completeness is compared with what the
border *shows*, percentages with what the cells *express*.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from her2path.domain.ihc import Intensity, StainingClass, staining_class
from her2path.imaging.ihc.calibration import INTENSITIES, PATTERNS, Calibration
from her2path.imaging.ihc.finder import Finder
from her2path.imaging.ihc.measure import CLASSICAL, Cells
from her2path.imaging.ihc.picture import measure_picture, traits_of
from her2path.imaging.ihc.tumour import choose_tumour_cells
from her2path.imaging.pairing import pair_up
from her2path.imaging.phantoms.ihc import render_ihc
from her2path.imaging.phantoms.ihc_spec import SCORE_PRESETS, STYLES, IhcPhantomSpec
from her2path.imaging.phantoms.ihc_truth import IhcCells, class_of_cells
from her2path.imaging.stain_estimation import estimate_stain_model

FIRST_SEED = 500_000
SCORES = ("null", "1+", "2+", "3+")
SIDE_UM = 400
EDGE_UM = 10.0
"""Cells nearer to the image's edge are not compared."""
MATCH_UM = 4.0


@dataclass(frozen=True, slots=True)
class Case:
    """One image with its truth."""

    name: str
    rgb: npt.NDArray[np.uint8]
    mpp: float
    cells: IhcCells


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was found in one image beside its truth (arrays over matched cells)."""

    name: str
    true: int
    scored: int
    matched: int
    found_any: int
    """True cells beside a found nucleus, scored or not."""
    completeness: npt.NDArray[np.float64]
    """Found, shown, expressed; shape (n, 3)."""
    intensity: npt.NDArray[np.intp]
    """Found, shown, expressed as places in `INTENSITIES`; shape (n, 3)."""
    percentages: npt.NDArray[np.float64]
    """Found over all scored cells, and truth, shape (2, 5)."""
    perfect: npt.NDArray[np.float64]
    """Percentages of the matched cells by their truth: what is left to measurement, not to choice."""

    @property
    def class_error(self) -> float:
        """Mean absolute error of the five percentages, in points."""
        return float(np.abs(self.percentages[0] - self.percentages[1]).mean())


def rendered() -> Iterable[Case]:
    """Draw the phantoms of the benchmark."""
    for number, (style, score) in enumerate(product(STYLES, SCORES)):
        mpp = 0.25 if number % 4 == 3 else 0.5
        side = int(SIDE_UM / mpp)
        spec = IhcPhantomSpec(
            seed=FIRST_SEED + number,
            width_px=side,
            height_px=side,
            mpp=mpp,
            classes=SCORE_PRESETS[score],
            style=STYLES[style],
            architecture="glandular" if number % 3 == 0 else "solid",
        )
        phantom = render_ihc(spec)
        yield Case(f"{style} {score}", phantom.rgb, mpp, phantom.cells)


def found_cells(case: Case, finder: Finder = CLASSICAL) -> tuple[Cells, npt.NDArray[np.bool_]]:
    """Measure a whole image and choose the cells to be scored."""
    model = estimate_stain_model(case.rgb, mpp=case.mpp)
    cells = measure_picture(case.rgb, model, mpp=case.mpp, calibration=Calibration(), finder=finder)
    choice = choose_tumour_cells(traits_of(cells, mpp=case.mpp, tells_tumour=finder.tells_tumour))
    return cells, choice.exclusion == 0


def compare(case: Case, finder: Finder = CLASSICAL) -> Comparison:
    """Measure one image and set it beside its truth."""
    cells, scored = found_cells(case, finder)
    size = np.array(case.rgb.shape[1::-1]) * case.mpp
    found = np.column_stack([cells.x, cells.y]) * case.mpp
    truth = case.cells
    nuclei = np.column_stack([truth.nucleus_x_px0, truth.nucleus_y_px0]) * case.mpp
    real = np.flatnonzero(truth.is_tumour & np.isfinite(nuclei[:, 0]) & _inside(nuclei, size))
    chosen = np.flatnonzero(scored & _inside(found, size))
    here, there = pair_up(found[chosen], nuclei[real], MATCH_UM)
    near = pair_up(found, nuclei[real], MATCH_UM)[0]
    mine, its = chosen[here], real[there]
    shown = np.array([INTENSITIES.index(Intensity(str(w))) for w in truth.shown_intensity])
    expressed = np.array([INTENSITIES.index(Intensity(str(w))) for w in truth.expressed_intensity])
    classes = [
        staining_class(INTENSITIES[i], PATTERNS[p])
        for i, p in zip(cells.grades.intensity[scored], cells.grades.pattern[scored], strict=True)
    ]
    true_classes = class_of_cells(truth)
    tumour = np.flatnonzero(truth.is_tumour)
    return Comparison(
        name=case.name,
        true=len(real),
        scored=len(chosen),
        matched=len(mine),
        found_any=len(near),
        completeness=np.column_stack(
            [
                cells.membranes.completeness[mine],
                truth.shown_completeness[its],
                truth.expressed_completeness[its],
            ]
        ),
        intensity=np.column_stack([cells.grades.intensity[mine], shown[its], expressed[its]]),
        percentages=np.stack([shares(classes), shares([true_classes[i] for i in tumour])]),
        perfect=shares([true_classes[i] for i in its]),
    )


def shares(classes: list[StainingClass]) -> npt.NDArray[np.float64]:
    """Per cent of cells in each class."""
    return np.array([100 * classes.count(item) / max(len(classes), 1) for item in StainingClass])


def _inside(points: npt.NDArray[np.float64], size: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    return np.asarray(((points > EDGE_UM) & (points < size - EDGE_UM)).all(axis=1))


def line(name: str, group: list[Comparison]) -> str:
    """Summarise a group of images in one line."""
    true, scored, matched, near = (
        sum(getattr(c, n) for c in group) for n in ("true", "scored", "matched", "found_any")
    )
    completeness = np.concatenate([c.completeness for c in group])
    intensity = np.concatenate([c.intensity for c in group])
    shown, expressed = (np.abs(completeness[:, 0] - completeness[:, k]).mean() for k in (1, 2))
    same = (intensity[:, 0] == intensity[:, 1]).mean()
    close = (np.abs(intensity[:, 0] - intensity[:, 1]) <= 1).mean()
    points = float(np.mean([c.class_error for c in group]))
    left = float(np.mean([np.abs(c.perfect - c.percentages[1]).mean() for c in group]))
    return (
        f"{name:<14} F1 {2 * matched / max(true + scored, 1):.3f} precision {matched / max(scored, 1):.3f}"
        f" recall {matched / max(true, 1):.3f} (found {near / max(true, 1):.3f})"
        f" completeness {shown:.3f} ({expressed:.3f} expressed)"
        f" intensity {same:.2f} +-1 {close:.2f} classes {points:.1f} points (choice {left:.1f})\n"
    )


def main() -> None:
    """Print a line per style and one over all."""
    rows = []
    for case in rendered():
        rows.append(compare(case))
        sys.stdout.write(line(case.name, rows[-1:]))
        sys.stdout.flush()
    for style in STYLES:
        sys.stdout.write(line(style, [row for row in rows if row.name.split()[0] == style]))
    sys.stdout.write(line("all", rows))


if __name__ == "__main__":
    main()
