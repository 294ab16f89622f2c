"""A labelled dataset of phantoms: cells as QuPath GeoJSON, tiles with a score, images with masks.

The labels are the truth of the phantoms, so they are those of an annotator who never errs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
import numpy.typing as npt
import shapely
import tifffile

from her2path.cli.phantom_ihc import expected_call
from her2path.domain.ihc import Intensity, Pattern
from her2path.domain.label_classes import LabelClass
from her2path.errors import Her2PathError
from her2path.imaging.phantoms.ihc import IhcScene, compose_ihc, photograph
from her2path.imaging.phantoms.ihc_labels import true_cells
from her2path.imaging.phantoms.ihc_random import random_spec
from her2path.imaging.phantoms.ihc_spec import SCORE_PRESETS, ClassShare, IhcPhantomSpec, StainStyle
from her2path.io.dataset_documents import OBJECT_MASKS, MaskOf
from her2path.io.dataset_sheet import COLUMNS
from her2path.io.files import replacing, sha256_of, write_bytes
from her2path.io.phantom_files import write_rows, write_slide
from her2path.io.pictures import write_picture
from her2path.io.qupath_cells import CellClass, QuPathCell, write_cells

SEEDS = range(2_000_000, 2_090_000)
"""Seeds of phantoms that a model may be retrained on while it is being developed; those up to 2 100 000 guard
a fine-tuning (`her2path.training.rehearsal.GUARD_SEEDS`)."""
HELD_OUT_SEEDS = range(2_100_000, 2_200_000)
"""Seeds of the studies of retraining; nothing is ever tuned on them."""
SOURCE, LICENCE = "her2path phantoms", "Apache-2.0"
_SIMPLIFIED_PX = 0.4
"""By how much a line may move when an outline is written: a fifth of a µm, less than a person's hand does."""
_QUALITY = 85

OTHER_LABORATORY = StainStyle(
    "other laboratory",
    (0.78, 0.55, 0.30),
    (0.42, 0.60, 0.68),
    (236.0, 226.0, 214.0),
    hematoxylin_gain=0.45,
    blush_od=0.06,
    haze_od=0.03,
    psf_um=0.45,
    sharpen=0.0,
    noise=2.5,
    jpeg_quality=70,
)
"""A laboratory unlike the shipped model's: pale violet counterstain, reddish brown DAB, tinted glass, soft
optics."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A phantom that is labelled: its scene and the picture that is labelled."""

    scene: IhcScene
    rgb: npt.NDArray[np.uint8]

    @property
    def mpp(self) -> float:
        """Pixel size in µm."""
        return self.scene.spec.mpp


_EVERY = (
    ClassShare(Intensity.STRONG, Pattern.COMPLETE, 0.25),
    ClassShare(Intensity.MODERATE, Pattern.COMPLETE, 0.25),
    ClassShare(Intensity.WEAK, Pattern.INCOMPLETE, 0.25),
)
_MIXES = {**SCORE_PRESETS, "every": _EVERY}

Row = dict[str, object]
"""One row of a dataset sheet."""


def compose_labelled(spec: IhcPhantomSpec, style: StainStyle | None = None) -> Labelled:
    """Compose a phantom and photograph it, with colours and optics of another laboratory if one is given."""
    scene = compose_ihc(spec)
    return Labelled(scene, photograph(scene, style))


def labelled_spec(seed: int, *, mix: str | None = None, side_px: int = 512) -> IhcPhantomSpec:
    """Draw a random phantom without artefacts at 0.5 µm/px.

    Parameters
    ----------
    seed : int
    mix : str, optional
        Mix of cells, one of `SCORE_PRESETS` or ``every``: a quarter of the tumour cells of each class.
    side_px : int
    """
    spec = random_spec(seed, size_px=side_px, mpp=0.5, artefacts=False)
    if mix is None:
        return spec
    # So that a small picture holds tumour cells enough for a score, and some of each class.
    return replace(
        spec,
        architecture="solid",
        classes=_MIXES[mix],
        tumour_fraction=max(spec.tumour_fraction, 0.6),
        background_fraction=0.0,
        cell_diameter_um=min(spec.cell_diameter_um, 13.0),
    )


def write_labelled_cells(
    folder: Path, stem: str, found: Labelled, *, patient_id: str, only: Sequence[LabelClass] = ()
) -> Row:
    """Write ``<stem>.tif``, which states its pixel size, and its cells as ``<stem>.geojson``.

    Parameters
    ----------
    folder : Path
    stem : str
    found : Labelled
    patient_id : str
    only : sequence of LabelClass
        Classes that were labelled; none = all, and the image is labelled completely.

    Returns
    -------
    Row
        Of a sheet in `folder`.
    """
    image, labels = folder / f"{stem}.tif", folder / f"{stem}.geojson"
    write_slide(image, found.rgb, mpp=found.mpp, quality=_QUALITY)
    cells = [
        QuPathCell(
            number,
            float(cell.cell_xy[:, 0].mean()),
            float(cell.cell_xy[:, 1].mean()),
            _simplified(cell.cell_xy),
            np.empty((0, 2)) if cell.nucleus_xy is None else _simplified(cell.nucleus_xy),
            CellClass(cell.kind.value, cell.kind.rgb),
        )
        for number, cell in enumerate(true_cells(found.scene), start=1)
        if not only or cell.kind in only
    ]
    write_cells(labels, cells, image_sha256=sha256_of(image))
    complete = "" if only else "yes"
    return _row(image, "cells", patient_id, labels=labels.name, complete=complete)


def write_labelled_tile(folder: Path, name: str, found: Labelled, *, patient_id: str) -> Row:
    """Write a PNG or JPEG, which state no pixel size; its score is that of its cells by the guideline."""
    if name.endswith(".jpg"):
        write_bytes(folder / name, bytes(imagecodecs.jpeg8_encode(found.rgb, level=_QUALITY)))
    else:
        write_picture(folder / name, found.rgb)
    return _row(folder / name, "tile", patient_id, score=score_of(found), mpp=found.mpp)


def score_of(found: Labelled) -> str:
    """Score of a phantom whose cells are read without an error; Her2PathError where it has too few cells."""
    score = expected_call(found.scene.truth.expressed).ihc_score
    if score is None:
        raise Her2PathError(f"phantom {found.scene.spec.seed} has too few tumour cells for a score")
    return score


def write_labelled_mask(
    folder: Path, stem: str, found: Labelled, *, patient_id: str, mask_of: MaskOf = "nuclei"
) -> Row:
    """Write a PNG and its mask: numbered nuclei or cells as TIFF, or the area of tumour cells as PNG."""
    write_picture(folder / f"{stem}.png", found.rgb)
    if mask_of in OBJECT_MASKS:
        mask = folder / f"{stem}_mask.tif"
        labels = found.scene.nuclei if mask_of == "nuclei" else found.scene.labels
        with replacing(mask) as temporary:
            tifffile.imwrite(temporary, labels, compression="zlib", metadata=None, software=False)
    else:
        mask = folder / f"{stem}_mask.png"
        _, data = cv2.imencode(".png", (found.scene.labels > 0).astype(np.uint8) * 255)
        with replacing(mask) as temporary:
            temporary.write_bytes(data.tobytes())
    return _row(folder / f"{stem}.png", "masks", patient_id, labels=mask.name, mpp=found.mpp, mask_of=mask_of)


def write_sheet(path: Path, rows: Sequence[Row]) -> Path:
    """Write a dataset sheet."""
    write_rows(path, [{name: row.get(name) for name in COLUMNS} for row in rows], delimiter="\t")
    return path


def _row(image: Path, kind: str, patient_id: str, **cells: object) -> Row:
    stated = {"image": image.name, "kind": kind, "patient_id": patient_id}
    return {**stated, "source": SOURCE, "licence": LICENCE, **cells}


def _simplified(outline: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    ring = shapely.Polygon(outline).simplify(_SIMPLIFIED_PX).exterior
    return np.asarray(shapely.get_coordinates(ring)[:-1], np.float64)


_PATIENTS, _SIDE_PX, _TILE_PX = 8, 336, 256
_TILE_MIXES = ("null", "1+", "2+", "3+")
_TILE_SEED, _MASK_SEED = 100, 200
"""Where the seeds of tiles and of images with masks begin, counted from the first of `SEEDS`."""


def write_training_samples(out: Path) -> Path:
    """Write the labelled sample images of `sample_data/training/` and their sheet, whose path is returned.

    Eight patients of one laboratory that is unlike those the shipped model knows: of each an image with all
    its cells and two tiles with a score, and of two an image with numbered nuclei.
    """
    rows = []
    for number in range(_PATIENTS):
        spec = labelled_spec(SEEDS[number], mix="every", side_px=_SIDE_PX)
        found = compose_labelled(spec, OTHER_LABORATORY)
        rows.append(
            write_labelled_cells(out, f"cells_{number + 1}", found, patient_id=f"patient_{number + 1}")
        )
    for number in range(2):
        spec = labelled_spec(SEEDS[_MASK_SEED + number], mix="every", side_px=_TILE_PX)
        found = compose_labelled(spec, OTHER_LABORATORY)
        patient = f"patient_{number + 1}"
        rows.append(write_labelled_mask(out, f"nuclei_{number + 1}", found, patient_id=patient))
    for number in range(2 * _PATIENTS):
        # Two scores of each patient, as tumours are not the same everywhere, and four patients of each score.
        mix = _TILE_MIXES[(number + 2 * (number // _PATIENTS)) % len(_TILE_MIXES)]
        spec = labelled_spec(SEEDS[_TILE_SEED + number], mix=mix, side_px=_TILE_PX)
        found = compose_labelled(spec, OTHER_LABORATORY)
        name = f"tile_{number + 1:02d}_{score_of(found)}.jpg"
        patient = f"patient_{number % _PATIENTS + 1}"
        rows.append(write_labelled_tile(out, name, found, patient_id=patient))
    return write_sheet(out / "dataset.tsv", rows)
