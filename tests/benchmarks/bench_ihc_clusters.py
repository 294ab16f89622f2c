"""Clusters of stained cells: contacts and sizes against the truth of phantoms, and speed.

The truth of a contact is a shared border of 2 µm or more, that of a cluster what cells *express*;
both refer to all cells, found or not.  Seeds are used nowhere else.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np

from her2path.cli import chain, phantom_ihc
from her2path.config import Config
from her2path.domain.case import Assay
from her2path.domain.ihc import Intensity, Pattern, Reactivity
from her2path.imaging.ihc import clusters
from her2path.imaging.ihc.calibration import Calibration
from her2path.imaging.ihc.rays import ANGLES, ring_points
from her2path.imaging.phantoms.ihc import IhcPhantom
from her2path.imaging.phantoms.ihc_spec import STYLES, IhcPhantomSpec
from her2path.imaging.phantoms.ihc_truth import shared_borders
from her2path.io.case_sheet import ImageRow
from her2path.io.tables import IHC_CELLS, IHC_CONTOURS, read_table

FIRST_SEED = 660_000
SIDE_UM = 400
SIZES = ((2, 4), (5, 6), (7, 9), (10, 14), (15, 99))
MANY = 2_000_000
FALSE_SHARES = (0.01, 0.02, 0.05, 0.10)
DRAWS = 500
"""Random draws of falsely stained cells per phantom."""


@dataclass(frozen=True)
class Measured:
    """The stained, scored cells of a phantom."""

    phantom: IhcPhantom
    outlines: clusters.Outlines
    ranks: np.ndarray
    completeness: np.ndarray

    def largest(self) -> dict[Reactivity, int]:
        """Sizes of the largest clusters as the step `ihc_score` measures them."""
        counted = clusters.counted_ranks(self.ranks, self.completeness, Calibration())
        return clusters.largest_clusters(counted, clusters.neighbours(self.outlines))


def measure(spec: IhcPhantomSpec) -> Measured:
    """Render a phantom and measure its cells."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        phantom = phantom_ihc.write_ihc(folder, spec)
        row = ImageRow(case_id="c", image_id="i", assay=Assay.IHC, path=(folder / "slide.tif",))
        steps = ("slide_intake", "slide_quality", "slide_tiles", "ihc_cells")
        if why := chain.run_image(row, folder, Config(), workers=2, steps=steps):
            raise ValueError(why.reason)
        cells = read_table(folder / "images" / "i" / "ihc_cells.parquet", IHC_CELLS).to_pydict()
        rings = read_table(folder / "images" / "i" / "ihc_contours.parquet", IHC_CONTOURS)
    words = zip(cells["intensity"], cells["pattern"], strict=True)
    ranks = np.array([clusters.rank_of(Intensity(i), Pattern(p)) for i, p in words], np.int8)
    kept = (ranks > 0) & np.array([word is None for word in cells["exclusion"]])
    xy_um = np.column_stack([cells["x_px0"], cells["y_px0"]])[kept] * spec.mpp
    corners = np.array(rings["cell_xy_px0"].to_pylist()).reshape(-1, ANGLES, 2)[kept] * spec.mpp
    outlines = clusters.Outlines(xy_um, (corners - xy_um[:, None]).astype(np.float16))
    return Measured(phantom, outlines, ranks[kept], np.array(cells["membrane_completeness"])[kept])


def specs(share: str, *, patchiness: float, first_seed: int) -> Iterator[IhcPhantomSpec]:
    """Yield twenty phantoms: five styles, solid and glandular, two pixel sizes."""
    for number, (style, architecture, mpp) in enumerate(product(STYLES, ("solid", "glandular"), (0.25, 0.5))):
        side = int(SIDE_UM / mpp)
        classes = phantom_ihc.choose_classes(None, (share,))
        spec = phantom_ihc.check_spec(
            seed=first_seed + number, width_px=side, height_px=side, mpp=mpp, classes=classes, style=style
        )
        yield replace(spec, architecture=architecture, patchiness=patchiness)


def contacts() -> None:
    """Print which shared borders of stained cells are found, by the distance that counts as touching."""
    usual = clusters.TOUCHING_UM
    for score, architecture in product(("2+", "3+"), ("solid", "glandular")):
        some = [
            measure(replace(spec, classes=phantom_ihc.choose_classes(score, ())))
            for spec in specs("strong:complete=0.1", patchiness=0.75, first_seed=FIRST_SEED)
            if spec.architecture == architecture and spec.style.name in ("crisp", "violet")
        ]
        sys.stdout.write(f"contacts {score} {architecture:<9}")
        for touching_um in (1.0, 1.5, 2.0, 2.5, 3.0):
            clusters.TOUCHING_UM = touching_um
            found, true, both = np.sum([_agreement(one) for one in some], axis=0)
            clusters.TOUCHING_UM = usual
            sys.stdout.write(f"  {touching_um} µm: {both / true:.3f} found, {both / found:.3f} of them true")
        sys.stdout.write("\n")
        sys.stdout.flush()


def _agreement(measured: Measured) -> tuple[int, int, int]:
    """Count contacts found, true ones, and those that are both, between different true cells."""
    phantom, xy_um = measured.phantom, measured.outlines.xy_um
    col, row = (np.clip((xy_um / phantom.spec.mpp).astype(int), 0, None)).T
    cell = phantom.labels[row, col].astype(np.int64)
    everywhere = shared_borders(phantom.labels, mpp=phantom.spec.mpp)
    seen = np.isin(everywhere, cell).all(axis=1)
    true = set(map(tuple, everywhere[seen].tolist()))
    pairs = np.sort(cell[clusters.neighbours(measured.outlines)], axis=1)
    known = (pairs[:, 0] > 0) & (pairs[:, 0] != pairs[:, 1])
    found = set(map(tuple, pairs[known].tolist()))
    return len(found), len(true), len(found & true)


def sizes() -> None:
    """Print how often a patch of a true size is read as a cluster of five cells or more, by level."""
    for level, share in (
        (Reactivity.STRONG, "strong:complete"),
        (Reactivity.STRONG, "strong:basolateral"),
        (Reactivity.WEAK_MODERATE, "moderate:complete"),
    ):
        rows = []
        for number, fraction in enumerate((0.01, 0.02, 0.04)):
            seed = FIRST_SEED + 1000 * (number + 1)
            for spec in specs(f"{share}={fraction}", patchiness=1.0, first_seed=seed):
                measured = measure(spec)
                rows.append((measured.phantom.truth.clusters[level], measured.largest()))
        for low, high in SIZES:
            got = [found for true, found in rows if low <= true <= high]
            if got:
                sys.stdout.write(
                    f"patch of {low} to {high} {share}, {len(got)} phantoms: median size"
                    f" {np.median([sizes[level] for sizes in got]):g}; five or more"
                )
                for name in dict.fromkeys((level, Reactivity.WEAK_MODERATE, Reactivity.FAINT)):
                    sys.stdout.write(f", {name} in {sum(sizes[name] >= 5 for sizes in got)}")
                sys.stdout.write("\n")
        sys.stdout.flush()


def apart() -> None:
    """Print the largest cluster that is read where stained cells lie apart (1 %)."""
    for share, level in (
        ("strong:complete", Reactivity.STRONG),
        ("strong:complete", Reactivity.FAINT),
        ("moderate:complete", Reactivity.FAINT),
    ):
        rows = [
            measure(spec) for spec in specs(f"{share}=0.01", patchiness=0.0, first_seed=FIRST_SEED + 9000)
        ]
        lone = [(m.phantom.truth.clusters[level], m.largest()[level]) for m in rows]
        found = [n for true, n in lone if true <= 2]
        sys.stdout.write(
            f"apart {share}, level {level}: {len(found)} phantoms with at most 2 side by side,"
            f" largest read {max(found)}, {sum(n >= 5 for n in found)} read as >= 5\n"
        )
        sys.stdout.flush()


def chance() -> None:
    """Print how large clusters get where a share of the cells is called stained at random.

    Only outlines of stained cells meet on a membrane, so the contacts are those of 3+ phantoms.
    """
    rng = np.random.default_rng(0)
    graphs = []
    for spec in specs("strong:complete=0.1", patchiness=0.75, first_seed=FIRST_SEED):
        measured = measure(replace(spec, classes=phantom_ihc.choose_classes("3+", ())))
        graphs.append((len(measured.ranks), clusters.neighbours(measured.outlines)))
    cells = sum(n for n, _ in graphs)
    for share in FALSE_SHARES:
        sizes = [
            clusters.largest_clusters((rng.random(n) < share).astype(np.int8), pairs)[Reactivity.FAINT]
            for n, pairs in graphs
            for _ in range(DRAWS)
        ]
        many = sum(size >= 5 for size in sizes)
        sys.stdout.write(
            f"{share:.0%} stained at random: largest cluster {max(sizes)}, 5 cells or more in {many} of"
            f" {len(sizes)} draws of {cells / len(graphs):.0f} cells\n"
        )


def speed() -> None:
    """Print the time for two million random stained cells."""
    rng = np.random.default_rng(0)
    xy_um = rng.uniform(0, np.sqrt(MANY * 120.0), (MANY, 2))
    offsets_um = np.empty((MANY, ANGLES, 2), np.float16)
    for start in range(0, MANY, 100_000):
        radii = (rng.uniform(4, 8, (100_000, 1)) * rng.uniform(0.85, 1.15, (100_000, ANGLES))).astype(
            np.float32
        )
        offsets_um[start : start + 100_000] = ring_points(np.zeros(100_000), np.zeros(100_000), radii)
    ranks = rng.integers(1, 4, MANY).astype(np.int8)
    begun = time.perf_counter()
    pairs = clusters.neighbours(clusters.Outlines(xy_um, offsets_um))
    clusters.largest_clusters(ranks, pairs)
    seconds = time.perf_counter() - begun
    sys.stdout.write(f"{MANY} stained cells, {len(pairs)} contacts: {seconds:.1f} s\n")


def main() -> None:
    """Print contacts, sizes, false clusters and speed."""
    speed()
    contacts()
    apart()
    chance()
    sizes()


if __name__ == "__main__":
    main()
