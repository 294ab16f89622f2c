"""Labelled phantoms for tests of training: QuPath GeoJSON, tiles and masks of true outlines.

Seeds from 2 000 000; nothing is written but what a researcher would have: images, labels, a sheet.
"""

from __future__ import annotations

from pathlib import Path

from her2path.cli.phantom_training import (
    SEEDS,
    Labelled,
    compose_labelled,
    labelled_spec,
    score_of,
    write_labelled_cells,
    write_labelled_mask,
    write_labelled_tile,
    write_sheet,
)
from her2path.imaging.phantoms.ihc_spec import StainStyle

SCORES = ("null", "1+", "2+", "3+")
"""Mixes of cells of tiles, one after the other."""


def labelled(
    number: int, *, side_px: int = 256, mix: str = "every", style: StainStyle | None = None
) -> Labelled:
    """Phantom of a seed of its own, counted from 0; `mix` as in `labelled_spec`."""
    return compose_labelled(labelled_spec(SEEDS[number], mix=mix, side_px=side_px), style)


def cells_dataset(
    folder: Path, *, patients: int = 6, images: int = 1, side_px: int = 256, style: StainStyle | None = None
) -> Path:
    """Write images with all their cells and the sheet `dataset.tsv`, whose path is returned."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [
        write_labelled_cells(
            folder,
            f"p{patient}_{image}",
            labelled(patient * images + image, side_px=side_px, style=style),
            patient_id=f"p{patient}",
        )
        for patient in range(patients)
        for image in range(images)
    ]
    return write_sheet(folder / "dataset.tsv", rows)


def tiles_folder(folder: Path, *, each: int = 2, side_px: int = 256, first: int = 100) -> Path:
    """Write tiles in the habit of BCI, ``00001_train_2+.png``, as many of each score."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(each * len(SCORES)):
        found = labelled(first + number, side_px=side_px, mix=SCORES[number % 4])
        split = "test" if number % 4 == 3 else "train"
        name = f"{number:05d}_{split}_{score_of(found)}.png"
        write_labelled_tile(folder, name, found, patient_id="unused")
    return folder


def masks_folder(folder: Path, *, images: int = 4, side_px: int = 256, first: int = 200) -> Path:
    """Write images and label images of their nuclei, ``f0.png`` and ``f0_mask.tif``."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(images):
        found = labelled(first + number, side_px=side_px)
        write_labelled_mask(folder, f"f{number}", found, patient_id="unused")
    return folder
