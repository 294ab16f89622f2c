"""Patches for training: cut from scenes and real images, turned, re-stained, separated.

Everything random is drawn from the seed and the patch's number, so that the same run sees the
same patches whatever the number of threads.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torchvision.transforms import v2

from her2path.imaging.ihc.rays import ANGLES
from her2path.imaging.nets.inference import network_input
from her2path.imaging.stain import StainModel, separate
from her2path.training.scenes import Scene
from her2path.training.targets import AMOUNT_STEPS, CELL_RADIUS_STEPS, DEEPEST, RADIUS_STEPS, UNKNOWN

Floats = npt.NDArray[np.float32]
Made = TypeVar("Made")

_VECTOR_JITTER = 0.03
"""Standard deviation of each part of a stain vector beyond what was estimated."""
_WHITE_JITTER = 1.5
_UNSTAINED = 0.3
"""Share of patches whose DAB is taken away, most or all of it."""
_FAINTEST_OD_UM = 0.035
"""Less than any faint membrane of a phantom has."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Patches with their targets as tensors."""

    image: torch.Tensor
    """(B, 3, M, N)."""
    nucleus: torch.Tensor
    """(B, M/2, N/2), 0 to 1; negative where not taught, as in `amount` and `tumour`."""
    amount: torch.Tensor
    """(B, M/2, N/2), square root of OD x µm; 0 where unstained."""
    tumour: torch.Tensor
    """(B, M/4, N/4)."""
    radii: torch.Tensor
    """(B, ANGLES, M/4, N/4) in µm; 0 outside nuclei."""
    cell_radii: torch.Tensor
    """The same of cells; 0 outside nuclei of tumour cells."""


@dataclass(frozen=True, slots=True)
class Patch:
    """One changed cut of a scene with its targets, coded as in `Targets` but for the amount."""

    image: Floats
    nucleus: npt.NDArray[np.uint8]
    amount: Floats
    """Square root of OD x µm; negative where not taught."""
    tumour: npt.NDArray[np.uint8]
    radii: npt.NDArray[np.uint8]
    cell_radii: npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Change:
    """What was done to a patch, for whatever else is cut from the same place."""

    turns: int
    flip: bool
    dab_gain: float


def camera_changes() -> v2.Compose:
    """Change a picture in ways that no stain model knows of: light, colours, focus."""
    return v2.Compose(
        [
            v2.RandomApply([v2.ColorJitter(brightness=0.06, contrast=0.10, saturation=0.15)], 0.3),
            v2.RandomApply([v2.GaussianBlur(3, (0.4, 0.9))], 0.2),
        ]
    )


def compressed(rgb: npt.NDArray[np.uint8], rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Compress one patch in five once more, as an export does; torchvision's own way is on its way out."""
    if rng.random() >= 0.2:
        return rgb
    quality = int(rng.integers(50, 96))
    _, data = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.ascontiguousarray(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)[..., ::-1])


def jittered(model: StainModel, rng: np.random.Generator) -> StainModel:
    """Misjudge a stain model a little, as an estimate does."""

    def bent(vector: tuple[float, float, float]) -> tuple[float, float, float]:
        moved = np.maximum(np.asarray(vector) + rng.normal(0, _VECTOR_JITTER, 3), 0.02)
        red, green, blue = (float(part) for part in moved / np.linalg.norm(moved))
        return red, green, blue

    red, green, blue = np.clip(np.asarray(model.white) + rng.normal(0, _WHITE_JITTER, 3), 180, 255)
    try:
        return StainModel((red, green, blue), bent(model.hematoxylin), bent(model.dab))
    except ValueError:
        return model


def amounts(rgb: npt.NDArray[np.uint8], model: StainModel, rng: np.random.Generator) -> tuple[Floats, float]:
    """Separate with a misjudged model, and stain more or less.

    Returns
    -------
    image : ndarray of float32, shape (3, M, N)
    gain : float
        Of the DAB.
    """
    found = network_input(separate(rgb, jittered(model, rng), with_residual=True))
    # Real nuclei are paler than most phantoms': hematoxylin varies more than anything else.
    gains = np.exp(rng.normal((-0.2, 0, 0), (0.45, 0.2, 0.2))).astype(np.float32)
    return np.asarray(found * gains[:, None, None], np.float32), float(gains[1])


def stained_again(amount: npt.NDArray[np.uint8], gain: float) -> Floats:
    """Tell what is expressed where all DAB is `gain` times as much; what becomes too faint is unstained.

    Parameters
    ----------
    amount : ndarray of uint8
        As in `Targets`.
    gain : float

    Returns
    -------
    root : ndarray of float32
        Square root of OD x µm, 0 where unstained, -1 where not taught.
    """
    root = amount.astype(np.float32) * np.float32(np.sqrt(gain) / AMOUNT_STEPS)
    root[root**2 < _FAINTEST_OD_UM] = 0
    root[amount == UNKNOWN] = -1
    return root


def turned(image: npt.NDArray[np.generic], turns: int, flip: bool) -> npt.NDArray[np.generic]:
    """Turn the last two axes by quarter turns (rows towards columns), then mirror the columns."""
    found = np.rot90(image, turns, axes=(-2, -1))
    return np.ascontiguousarray(found[..., ::-1] if flip else found)


def turned_rays(radii: npt.NDArray[np.uint8], turns: int, flip: bool) -> npt.NDArray[np.uint8]:
    """Turn a stack of rays, shape (ANGLES, M, N): its places and its directions."""
    # np.rot90 turns the picture against the clock, and angles run with the clock (y points down).
    moved = np.roll(turned(radii, turns, flip=False), -turns * (ANGLES // 4), axis=0)
    if flip:
        # x changes its sign: an angle t becomes pi - t.
        order = (ANGLES // 2 - np.arange(ANGLES)) % ANGLES
        moved = moved[order][..., ::-1]
    return np.ascontiguousarray(moved)


def cut(
    scene: Scene,
    rng: np.random.Generator,
    *,
    place: tuple[int, int],
    size: int,
    camera: v2.Compose,
    variant: int = 0,
    unstained: float = _UNSTAINED,
) -> tuple[Patch, Change]:
    """Cut a patch, change its light and focus, separate its stains by a misjudged model, turn it.

    Parameters
    ----------
    scene : Scene
    rng : Generator
        Advanced.
    place : tuple of two ints
        Row and column of its first pixel, multiples of eight.
    size : int
        Its edge, a multiple of eight.
    camera : Compose
        See `camera_changes`; draws from torch's own generator.
    variant : int
        Photograph of the scene.
    unstained : float
        Share of patches from which most or all DAB is taken away.

    Returns
    -------
    patch : Patch
    change : Change
    """
    top, left = place
    rgb = np.ascontiguousarray(scene.rgb[variant, top : top + size, left : left + size])
    tensor = torch.from_numpy(rgb).permute(2, 0, 1)
    rgb = compressed(np.ascontiguousarray(camera(tensor).permute(1, 2, 0).numpy()), rng)
    turns, flip = int(rng.integers(4)), bool(rng.integers(2))
    targets = scene.targets
    fine = np.s_[top // 2 : (top + size) // 2, left // 2 : (left + size) // 2]
    coarse = np.s_[..., top // 4 : (top + size) // 4, left // 4 : (left + size) // 4]
    image, gain = amounts(rgb, scene.stain_model(variant), rng)
    if rng.random() < unstained:
        # Or a network would take brown for tumour, and miss the tumour cells that do not stain.
        remains = np.float32(rng.uniform(0, 0.5))
        image[1:] *= remains
        gain *= float(remains)
    patch = Patch(
        image=turned(image, turns, flip),  # type: ignore[arg-type]
        nucleus=turned(targets.nucleus[fine], turns, flip),  # type: ignore[arg-type]
        amount=turned(stained_again(targets.amount[fine], gain), turns, flip),  # type: ignore[arg-type]
        tumour=turned(targets.tumour[coarse], turns, flip),  # type: ignore[arg-type]
        radii=turned_rays(targets.radii[coarse], turns, flip),
        cell_radii=turned_rays(targets.cell_radii[coarse], turns, flip),
    )
    return patch, Change(turns, flip, gain)


def place_with_nuclei(scene: Scene, rng: np.random.Generator, size: int) -> tuple[int, int]:
    """Draw the corner of a patch; one that shows no nucleus is drawn again, twice at most."""
    top = left = 0
    for _ in range(3):
        top, left = (int(rng.integers((edge - size) // 8 + 1)) * 8 for edge in scene.rgb.shape[1:3])
        coarse = np.s_[top // 4 : (top + size) // 4, left // 4 : (left + size) // 4]
        if scene.targets.radii[0][coarse].any():
            break
    return top, left


def stacked(patches: Sequence[Patch]) -> Batch:
    """Put patches of one size into a batch."""

    def joined(name: str) -> torch.Tensor:
        return torch.from_numpy(np.stack([getattr(patch, name) for patch in patches]))

    def known(name: str, scale: int) -> torch.Tensor:
        values = joined(name)
        return torch.where(values == UNKNOWN, -1.0, values.float() / scale)

    return Batch(
        image=joined("image"),
        nucleus=known("nucleus", DEEPEST),
        amount=joined("amount"),
        tumour=known("tumour", 1),
        radii=joined("radii").float() / RADIUS_STEPS,
        cell_radii=joined("cell_radii").float() / CELL_RADIUS_STEPS,
    )


@dataclass(frozen=True, slots=True)
class SceneBatches:
    """Batches of patches of scenes by the number of the step."""

    scenes: Sequence[Scene]
    """Each epoch visits them in an order of its own and takes the next photograph."""
    images: Sequence[Scene]
    """Real images; may be empty."""
    seed: int
    size_px: int
    """Edge of a patch, a multiple of eight."""
    count: int
    """Patches of scenes in a batch, from a quarter as many scenes."""
    image_count: int
    """Patches of real images in a batch, if there are any."""

    def __call__(self, step: int) -> Batch:
        """Make the batch of one step."""
        camera = camera_changes()
        visits = max(1, self.count // 4)
        patches = []
        for visit in range(step * visits, (step + 1) * visits):
            epoch, place = divmod(visit, len(self.scenes))
            order = np.random.default_rng([self.seed, 1, epoch]).permutation(len(self.scenes))
            rng = np.random.default_rng([self.seed, 2, visit])
            scene = self.scenes[int(order[place])]
            variant = epoch % len(scene.rgb)
            patches += [self._patch(scene, rng, camera, variant) for _ in range(self.count // visits)]
        rng = np.random.default_rng([self.seed, 3, step])
        for _ in range(self.image_count if self.images else 0):
            image = self.images[int(rng.integers(len(self.images)))]
            patches.append(self._patch(image, rng, camera, 0))
        return stacked(patches)

    def _patch(self, scene: Scene, rng: np.random.Generator, camera: v2.Compose, variant: int) -> Patch:
        place = place_with_nuclei(scene, rng, self.size_px)
        return cut(scene, rng, place=place, size=self.size_px, camera=camera, variant=variant)[0]


def ahead(make: Callable[[int], Made], steps: range, *, seed: int) -> Iterator[Made]:
    """Make something for each step, two steps ahead of the consumer.

    A run that stopped goes on with the steps it has not seen, and sees what it would have seen.
    """

    def one(step: int) -> Made:
        # torchvision draws from torch's only generator; nothing else draws while a network is fitted.
        torch.manual_seed(seed * 1_000_003 + step)
        return make(step)

    # One thread only: with more, the draws of torchvision would depend on chance.
    with ThreadPoolExecutor(max_workers=1) as pool:
        waiting = deque(pool.submit(one, step) for step in steps[:2])
        for step in steps:
            made = waiting.popleft().result()
            if step + 2 in steps:
                waiting.append(pool.submit(one, step + 2))
            yield made
