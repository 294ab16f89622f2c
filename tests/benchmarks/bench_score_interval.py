"""Coverage of the score's intervals on simulated tissue whose cells stain in patches.

A smooth Gaussian field with some noise from cell to cell is cut into classes, so that the true
percentages are known; tumour covers half of the tissue, in patches of its own.  What is asked is how
often the 95 % interval of one slide holds the truth, for the intervals of her2path and for Wilson's,
which takes every cell for an observation.

``scale`` is the standard deviation of the kernel that makes the field smooth: cells twice that far
apart still are 0.37 alike, and patches are four to five times as wide.
"""

from __future__ import annotations

import sys

import numpy as np
from scipy.fft import irfft2, rfft2
from scipy.stats import norm

from her2path.domain.ihc import Intensity, Pattern
from her2path.imaging.ihc.cell_lattice import PLACES_OF_CLASS, SCORES, SQUARE_UM, STAININGS, CellLattice
from her2path.imaging.ihc.sampling import Sampling, sample_tissue

FIRST_SEED = 501_000
SLIDES = 150
CELL_UM = 12.5
FROM_CELL_TO_CELL = 0.2
"""Share of the field's variance that every cell has for itself."""
KINDS = (
    (Intensity.STRONG, Pattern.COMPLETE),
    (Intensity.FAINT, Pattern.INCOMPLETE),
    (Intensity.NONE, Pattern.NONE),
)
MIXES = ((0.10, 0.20), (0.03, 0.07))
"""Shares of strong, complete and of faint cells."""


def field(rng: np.random.Generator, side: int, scale_um: float) -> np.ndarray:
    """Draw a Gaussian field of unit variance."""
    if scale_um == 0:
        return rng.standard_normal((side, side))
    whole = side + int(6 * scale_um / CELL_UM)
    down, along = np.fft.fftfreq(whole)[:, None], np.fft.rfftfreq(whole)[None]
    smooth = np.exp(-2 * (np.pi * scale_um / CELL_UM) ** 2 * (down**2 + along**2))
    square = np.exp(-4 * (np.pi * scale_um / CELL_UM) ** 2 * (down**2 + np.fft.fftfreq(whole)[None] ** 2))
    drawn = irfft2(rfft2(rng.standard_normal((whole, whole))) * smooth, s=(whole, whole))
    return drawn[:side, :side] / np.sqrt(square.mean())


def slide(seed: int, side_um: float, scale_um: float, mix: tuple[float, float]) -> CellLattice:
    """Simulate the scored cells of one slide."""
    rng = np.random.default_rng(seed)
    side = int(side_um / CELL_UM)
    level = np.sqrt(1 - FROM_CELL_TO_CELL) * field(rng, side, scale_um)
    level += np.sqrt(FROM_CELL_TO_CELL) * rng.standard_normal((side, side))
    tumour = field(rng, side, 120) > 0
    kind = (level < norm.isf(mix[0])).astype(int) + (level < norm.isf(sum(mix)))
    edge = int(SQUARE_UM / CELL_UM)
    squares = side // edge
    counts = np.zeros((squares, squares, len(STAININGS)), np.int64)
    for place, staining in enumerate(KINDS):
        chosen = (tumour & (kind == place)).reshape(squares, edge, squares, edge)
        counts[..., STAININGS.index(staining)] = chosen.sum(axis=(1, 3))
    return CellLattice(counts, 0, 0)


def covered(found: Sampling, mix: tuple[float, float]) -> list[bool]:
    """Tell which intervals hold the truth: strong, stained, H-score; Wilson's for strong and stained."""
    places = {str(name): np.isin(np.arange(len(STAININGS)), k) for name, k in PLACES_OF_CLASS.items()}
    strong = found.percentage(places["complete_intense"])
    stained = found.percentage(SCORES > 0)
    low, high = found.h_score_interval()
    truth = (100 * mix[0], 100 * sum(mix))
    return [
        strong.low_pct <= truth[0] <= strong.high_pct,
        stained.low_pct <= truth[1] <= stained.high_pct,
        low <= 300 * mix[0] + 100 * mix[1] <= high,
        strong.cells_low_pct <= truth[0] <= strong.cells_high_pct,
        stained.cells_low_pct <= truth[1] <= stained.cells_high_pct,
    ]


def main() -> None:
    """Print the coverage by size of the tissue, of the patches, and by mix."""
    sys.stdout.write(
        f"{SLIDES} slides each; coverage in per cent: strong, stained, H-score | Wilson: strong, stained |"
        " reach um, areas, too little tissue %\n"
    )
    seed = FIRST_SEED
    for side_um in (2000.0, 5000.0):
        for scale_um in (0.0, 40.0, 100.0, 200.0):
            for mix in MIXES:
                samples = [sample_tissue(slide(seed + n, side_um, scale_um, mix)) for n in range(SLIDES)]
                seed += SLIDES
                shares = 100 * np.mean([covered(found, mix) for found in samples], axis=0)
                reach, areas = (
                    np.median([getattr(s.basis, name) for s in samples]) for name in ("reach_um", "areas")
                )
                none = 100 * np.mean([found.plan is None for found in samples])
                sys.stdout.write(
                    f"{side_um / 1000:g} mm, scale {scale_um:3g} um, {100 * mix[0]:g} + {100 * mix[1]:g} %: "
                    f"{' '.join(f'{share:3.0f}' for share in shares[:3])} | "
                    f"{shares[3]:3.0f} {shares[4]:3.0f} | "
                    f"{reach:4.0f} {areas:4.0f} {none:3.0f}\n"
                )
                sys.stdout.flush()


if __name__ == "__main__":
    main()
