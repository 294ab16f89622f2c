from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from her2path.domain.ihc import Intensity, Pattern
from her2path.imaging.ihc.rays import ANGLES, COS, SIN
from her2path.imaging.nets.registry import ARCHITECTURES
from her2path.imaging.phantoms.ihc import compose_ihc
from her2path.imaging.phantoms.ihc_spec import SCORE_PRESETS, ClassShare, IhcPhantomSpec
from her2path.training.datasets import SceneBatches, stained_again, turned, turned_rays
from her2path.training.fit import fit
from her2path.training.record import Recipe
from her2path.training.scenes import Scene, compose_scene, read_scene, write_scene
from her2path.training.targets import AMOUNT_STEPS, DEEPEST, RADIUS_STEPS, UNKNOWN, targets_of

ARCHITECTURE = ARCHITECTURES["star-unet-24-32-96"]


@pytest.fixture(scope="module")
def scene() -> Scene:
    return compose_scene(500_001, side_px=256, variants=1)


def test_targets_show_the_outline_of_each_nucleus():
    phantom = compose_ihc(
        IhcPhantomSpec(seed=500_002, width_px=256, height_px=256, mpp=0.5, classes=SCORE_PRESETS["2+"])
    )
    targets = targets_of(phantom)
    row, col = np.unravel_index(targets.nucleus.argmax(), targets.nucleus.shape)
    assert targets.nucleus[row, col] == pytest.approx(DEEPEST, abs=20)
    label = phantom.nuclei[2 * row, 2 * col]
    radii = targets.radii[:, row // 2, col // 2] / RADIUS_STEPS
    for scale, within in ((0.8, True), (1.25, False)):
        x = np.rint(col // 2 * 4 + 1.5 + scale * radii / 0.5 * COS).astype(int)
        y = np.rint(row // 2 * 4 + 1.5 + scale * radii / 0.5 * SIN).astype(int)
        on = (x >= 0) & (y >= 0) & (x < 256) & (y < 256)
        same = phantom.nuclei[y[on], x[on]] == label
        assert same.mean() > 0.9 if within else same.mean() < 0.1


def test_only_cells_that_stain_by_themselves_are_taught_as_such():
    half = IhcPhantomSpec(
        seed=500_003,
        width_px=256,
        height_px=256,
        mpp=0.5,
        patchiness=0.0,
        classes=(ClassShare(Intensity.STRONG, Pattern.COMPLETE, 0.5),),
    )
    scene = compose_ihc(half)
    amount = targets_of(scene).amount
    cells = scene.labels[::2, ::2]
    strong = np.append(False, scene.cells.expressed_intensity == "strong")[cells]
    known = (amount != UNKNOWN) & (cells > 0)
    assert (amount[known & strong] > 0).mean() > 0.95
    assert (amount[known & ~strong] == 0).all()
    assert np.median(amount[known & strong] / AMOUNT_STEPS) ** 2 == pytest.approx(0.95, rel=0.15)


def test_where_dab_fades_so_does_what_is_taught():
    amount = np.array([0, 40, 200, UNKNOWN], np.uint8)
    assert stained_again(amount, 1.0) == pytest.approx([0, 0.2, 1.0, -1])
    assert stained_again(amount, 0.25) == pytest.approx([0, 0, 0.5, -1])


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_turned_rays_are_the_rays_of_the_turned_picture(turns, flip):
    marked = np.zeros((64, 64), np.uint8)
    marked[10:30, 20:32] = 1
    centre = (20, 26)

    def rays(image: np.ndarray, row: int, col: int) -> np.ndarray:
        lengths = np.zeros(ANGLES)
        for ray in range(ANGLES):
            while image[int(row + 0.5 + lengths[ray] * SIN[ray]), int(col + 0.5 + lengths[ray] * COS[ray])]:
                lengths[ray] += 0.25
        return lengths

    radii = np.zeros((ANGLES, 64, 64), np.uint8)
    radii[:, *centre] = np.rint(rays(marked, *centre))
    there = turned_rays(radii, turns, flip)
    row, col = np.argwhere(there.any(axis=0))[0]
    expected = rays(turned(marked, turns, flip), int(row), int(col))
    assert np.abs(there[:, row, col] - expected).max() <= 1.5


def test_a_scene_is_read_as_it_was_written(scene, tmp_path):
    write_scene(tmp_path / "1.npz", scene)
    read = read_scene(tmp_path / "1.npz")
    np.testing.assert_array_equal(read.rgb, scene.rgb)
    np.testing.assert_array_equal(read.targets.radii, scene.targets.radii)
    assert read.stain_model(0) == scene.stain_model(0)


def test_a_batch_depends_on_the_number_of_its_step_alone(scene):
    make = SceneBatches([scene], [], seed=1, size_px=64, count=4, image_count=0)
    one = make(3)
    make(2)
    other = make(3)
    assert one.radii.equal(other.radii)
    assert not one.nucleus.equal(make(4).nucleus)
    assert ((one.tumour >= 0) | (one.tumour == -1)).all()
    assert UNKNOWN not in one.nucleus


def test_the_learning_rate_falls_to_nothing_in_each_cycle_from_half_as_high():
    recipe = Recipe(cycles=(100, 50), rate=0.004, warm_up=10)
    rates = [recipe.rate_at(step) for step in range(recipe.steps)]
    assert max(rates[:100]) == rates[9] == pytest.approx(0.004)
    assert max(rates[100:]) == rates[109] == pytest.approx(0.002)
    assert max(rates[99], rates[149]) < 1e-5


def _fitted(scene: Scene, folder: Path, steps: int) -> tuple[dict[str, np.ndarray], list[list[float]]]:
    recipe = Recipe(
        cycles=(steps // 2, steps - steps // 2),
        patches=4,
        patch_px=64,
        warm_up=2,
        average=0.5,
        checkpoint_every=4,
    )
    network, rows = fit(ARCHITECTURE, [scene], recipe, images=[], folder=folder)
    return network.folded(), rows


def test_a_short_fit_lowers_its_loss_and_gives_the_same_weights_again(scene, tmp_path):
    weights, rows = _fitted(scene, tmp_path / "one", 12)
    again, _ = _fitted(scene, tmp_path / "two", 12)
    first, last = (np.mean([sum(row[2:5]) for row in part]) for part in (rows[:3], rows[-3:]))
    assert last < 0.95 * first
    for name, values in weights.items():
        np.testing.assert_array_equal(values, again[name])


def test_a_fit_that_was_stopped_ends_with_the_same_weights(scene, tmp_path, monkeypatch):
    whole, _ = _fitted(scene, tmp_path / "whole", 8)
    seen = []

    class StoppedError(Exception):
        pass

    make = SceneBatches.__call__

    def stopping(self: SceneBatches, step: int) -> object:
        seen.append(step)
        if step == 6 and len(seen) < 8:
            raise StoppedError
        return make(self, step)

    monkeypatch.setattr(SceneBatches, "__call__", stopping)
    with pytest.raises(StoppedError):
        _fitted(scene, tmp_path / "stopped", 8)
    weights, rows = _fitted(scene, tmp_path / "stopped", 8)
    assert [row[0] for row in rows] == list(range(8))
    for name, values in whole.items():
        np.testing.assert_array_equal(values, weights[name])
