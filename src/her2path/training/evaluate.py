"""How well a model finds and tells nuclei on scenes that it was not fitted to, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from her2path.domain.ihc import Intensity
from her2path.imaging.ihc.calibration import INTENSITIES, Calibration
from her2path.imaging.ihc.finder import Finder
from her2path.imaging.ihc.measure import Cells
from her2path.imaging.ihc.picture import measure_picture
from her2path.imaging.ihc.rays import ring_centroids
from her2path.imaging.pairing import Places, pair_up
from her2path.imaging.phantoms.ihc import IhcScene, compose_ihc, photograph
from her2path.imaging.phantoms.ihc_random import random_spec
from her2path.imaging.stain import separate
from her2path.training.scenes import WORKING_MPP, stain_model_of

MATCH_UM = 4.0
"""Farthest that a found centre may lie from the true one."""
TUMOUR = 0.5
"""Probability from which a cell is called a tumour cell."""
_DRAWS = 2000
RIM_UM = 10.0
"""Nuclei nearer to the edge of a picture are left out: what lies around them is not seen."""
SLIVER_UM2 = 9.0
"""What of a covered nucleus is smaller than this nobody would see, nor label but by a slip of the hand."""
FEWEST_SCORED = 50
"""Cells below which a share of a scene says nothing."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of one scene."""

    true: int
    """Nuclei outside artefacts and away from the edge."""
    found: int
    matched: int
    true_tumour: int
    found_tumour: int
    matched_tumour: int
    """Tumour nuclei found as such."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


def tally(finder: Finder, scene: IhcScene, *, seed: int) -> Tally:
    """Find the nuclei of a scene's own photograph and compare them with the truth."""
    rgb = photograph(scene, seed=seed)
    stains = separate(rgb, stain_model_of(rgb), with_residual=True)
    nuclei = finder(stains, mpp=WORKING_MPP, origin=(0, 0)).nuclei
    x, y = ring_centroids(nuclei.x, nuclei.y, nuclei.radii_px)
    found = np.column_stack([x, y])
    true, cell = true_nuclei(scene)
    is_tumour = cell > 0
    fair, own = (_fair(scene, points) for points in (true, found))
    true, is_tumour = true[fair], is_tumour[fair]
    found, called = found[own], nuclei.tumour[own] >= TUMOUR

    def matches(one: Places, other: Places) -> int:
        return len(pair_up(other, one, MATCH_UM / WORKING_MPP)[0])

    every, tumour = matches(true, found), matches(true[is_tumour], found[called])
    return Tally(len(true), len(found), every, int(is_tumour.sum()), int(called.sum()), tumour)


def true_nuclei(scene: IhcScene) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int32]]:
    """Find the centres of what is visible of the nuclei of a scene.

    Returns
    -------
    centres : ndarray of float64, shape (n, 2)
        x first; the middle of a pixel has whole coordinates.
    cell : ndarray of int32, shape (n,)
        Label of the tumour cell that each belongs to; 0 for other kinds.
    """
    flat = scene.nuclei.ravel()
    rows, columns = np.indices(scene.nuclei.shape)
    area = np.bincount(flat, minlength=len(scene.nucleus_kind))
    centres = [
        np.bincount(flat, weights=axis.ravel(), minlength=len(area)) / np.maximum(area, 1)
        for axis in (columns, rows)
    ]
    seen = area * WORKING_MPP**2 >= SLIVER_UM2
    seen[0] = False
    return np.column_stack(centres)[seen], scene.nucleus_cell[seen]


def _fair(scene: IhcScene, points: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Points that lie off artefacts and not on the rim of the picture."""
    height, width = scene.nuclei.shape
    rim = RIM_UM / WORKING_MPP
    row, column = (
        np.clip(np.rint(points[:, k]).astype(np.intp), 0, edge - 1) for k, edge in ((1, height), (0, width))
    )
    inside = (points > rim).all(axis=1) & (points[:, 0] < width - rim) & (points[:, 1] < height - rim)
    return np.asarray(inside & (scene.artefacts[row, column] == 0))


def off_rim(shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """Mark the pixels of a picture that lie `RIM_UM` or more from its edge."""
    inside = np.zeros(shape, np.bool_)
    rim = round(RIM_UM / WORKING_MPP)
    inside[rim:-rim, rim:-rim] = True
    return inside


def f1(tallies: Sequence[Tally]) -> float:
    """F1 of all nuclei."""
    return 2 * sum(t.matched for t in tallies) / max(1, sum(t.true + t.found for t in tallies))


def tumour_f1(tallies: Sequence[Tally]) -> float:
    """F1 of tumour nuclei found as such."""
    both = sum(t.true_tumour + t.found_tumour for t in tallies)
    return 2 * sum(t.matched_tumour for t in tallies) / max(1, both)


def with_interval(tallies: Sequence[Tally], figure: Callable[[Sequence[Tally]], float]) -> Estimate:
    """Estimate a figure with the 95 % interval of a bootstrap over scenes.

    Nuclei of one scene share its stain and tissue, so scenes are drawn, not nuclei.
    """
    rng = np.random.default_rng(0)
    drawn = [
        figure([tallies[k] for k in rng.integers(len(tallies), size=len(tallies))]) for _ in range(_DRAWS)
    ]
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Estimate(figure(tallies), float(low), float(high))


def evaluate(finder: Finder, seeds: Sequence[int], *, side_px: int) -> list[Tally]:
    """Tally random scenes of some seeds."""
    scenes = (compose_ihc(random_spec(seed, size_px=side_px, mpp=WORKING_MPP)) for seed in seeds)
    return [tally(finder, scene, seed=seed) for seed, scene in zip(seeds, scenes, strict=True)]


def blank_scene(seed: int, *, side_px: int) -> IhcScene:
    """Compose a random scene without staining.

    The usual blush and haze of a style are in it; cytoplasm, nuclei or stroma that stain are no blanks
    but a failed stain, of which the slide's score has verdicts of its own.
    """
    spec = replace(random_spec(seed, size_px=side_px, mpp=WORKING_MPP, artefacts=False), classes=())
    if spec.detail is not None:
        spec = replace(
            spec,
            detail=replace(
                spec.detail, cytoplasm_dab_od=0.0, nuclear_dab_od=0.0, stroma_dab_od=0.0, edge_dab_od=0.0
            ),
        )
    return compose_ihc(spec)


def blank_pct(finder: Finder, calibration: Calibration, seeds: Sequence[int], *, side_px: int) -> list[float]:
    """Per cent of the scored cells called stained on each of some random scenes without staining."""
    found = []
    for seed in seeds:
        rgb = photograph(blank_scene(seed, side_px=side_px), seed=seed)
        model = stain_model_of(rgb)
        cells = measure_picture(rgb, model, mpp=WORKING_MPP, calibration=calibration, finder=finder)
        scored, stained = stained_cells(cells)
        if scored >= FEWEST_SCORED:
            found.append(100 * stained / scored)
    return found


def stained_cells(cells: Cells) -> tuple[int, int]:
    """Count the cells that are scored, and those of them that are called stained."""
    scored = cells.nuclei.tumour >= TUMOUR
    stained = np.asarray([intensity is not Intensity.NONE for intensity in INTENSITIES])
    return int(scored.sum()), int(stained[cells.grades.intensity[scored]].sum())
