"""Small fluorescence fields with known content, and the chain of FISH steps over them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tifffile

from her2path.domain.case import Assay
from her2path.io.case_sheet import ImageRow
from her2path.io.count_entries import FishCountsResult
from her2path.io.documents import FishCountsDoc, read_document
from her2path.steps import fish_counts, fish_nuclei, fish_signals, slide_intake, slide_quality

NAMES = ("DAPI", "SpectrumOrange", "SpectrumGreen")
Planes = npt.NDArray[np.uint16]


@dataclass(frozen=True)
class Disc:
    """A round nucleus; lengths in pixels."""

    row: float
    col: float
    radius: float = 30.0
    level: float = 900.0


@dataclass(frozen=True)
class Dot:
    """A Gaussian spot; `channel` 1 = HER2, 2 = CEP17."""

    channel: int
    row: float
    col: float
    height: float = 600.0
    sigma: float = 1.15


def draw_field(
    discs: list[Disc], dots: list[Dot], *, size: tuple[int, int] = (256, 256), seed: int = 1
) -> Planes:
    """Draw a field of 3 planes (uint16) at a background of 100 with a noise of 5."""
    rng = np.random.default_rng(seed)
    rows, cols = np.mgrid[: size[0], : size[1]] + 0.5
    planes = np.full((3, *size), 100.0) + rng.normal(0, 5, (3, *size))
    for disc in discs:
        distance = np.hypot(rows - disc.row, cols - disc.col) - disc.radius
        planes[0] += disc.level / (1 + np.exp(np.clip(distance / 1.2, -50, 50)))
    for dot in dots:
        far = (rows - dot.row) ** 2 + (cols - dot.col) ** 2
        planes[dot.channel] += dot.height * np.exp(-far / (2 * dot.sigma**2))
    return np.clip(planes, 0, 4095).astype(np.uint16)


def write_ome(path: Path, planes: npt.NDArray[np.generic], **over: object) -> Path:
    """Write planes (C, M, N) as OME-TIFF; `over` replaces entries of its metadata."""
    metadata: dict[str, object] = {
        "axes": "CYX" if planes.ndim == 3 else "ZCYX",
        "Channel": {"Name": list(NAMES[: planes.shape[-3]])},
        "PhysicalSizeX": 0.16,
        "PhysicalSizeXUnit": "µm",
        "PhysicalSizeY": 0.16,
        "PhysicalSizeYUnit": "µm",
    }
    metadata = {k: v for k, v in {**metadata, **over}.items() if v is not None}
    tifffile.imwrite(path, planes, metadata=metadata, photometric="minisblack", compression="zlib")
    return path


def run_chain(paths: list[Path], out: Path, **row: object) -> FishCountsResult:
    """Run the five steps that lead from a FISH image to its counts; return the counts."""
    for _, step in chain_steps(paths, out, **row):
        step()
    result = read_document(out / "fish_counts.json", FishCountsDoc).result
    assert result is not None
    return result


def chain_steps(paths: list[Path], out: Path, **row: object) -> Iterator[tuple[str, Callable[[], None]]]:
    """Give each of these steps by its name, to be run before the next one is asked for."""
    out.mkdir(parents=True, exist_ok=True)
    facts = ImageRow(case_id="case", image_id="image", assay=Assay.FISH, path=tuple(paths), **row)  # type: ignore[arg-type]
    slide, labels = out / "slide.json", out / "fish_labels.tif"
    objects, signals = out / "fish_objects.parquet", out / "fish_signals.parquet"
    yield (
        "slide_intake",
        partial(
            slide_intake.run, image=paths, row=facts, slide=slide, params=slide_intake.SlideIntakeParams()
        ),
    )
    yield (
        "slide_quality",
        partial(
            slide_quality.run,
            image=paths,
            slide=slide,
            tumour_roi=facts.tumour_roi,
            exclude_roi=facts.exclude_roi,
            quality=out / "quality.json",
            tissue=out / "tissue.png",
            artefacts=out / "artefacts.png",
            areas=out / "quality.geojson",
            picture=out / "quality.png",
            params=slide_quality.SlideQualityParams(),
        ),
    )
    yield (
        "fish_nuclei",
        partial(
            fish_nuclei.run,
            image=paths,
            slide=slide,
            quality=out / "quality.json",
            tumour_roi=facts.tumour_roi,
            exclude_roi=facts.exclude_roi,
            objects=objects,
            labels=labels,
            params=fish_nuclei.FishNucleiParams(),
        ),
    )
    yield (
        "fish_signals",
        partial(
            fish_signals.run,
            image=paths,
            slide=slide,
            quality=out / "quality.json",
            labels=labels,
            objects=objects,
            signals=signals,
            optics=out / "fish_signals.json",
            params=fish_signals.FishSignalsParams(),
        ),
    )
    yield (
        "fish_counts",
        partial(
            fish_counts.run,
            image=paths,
            slide=slide,
            quality=out / "quality.json",
            objects=objects,
            labels=labels,
            signals=signals,
            optics=out / "fish_signals.json",
            nuclei=out / "fish_nuclei.parquet",
            counts=out / "fish_counts.json",
            gallery=out / "gallery.png",
            overview=out / "fish_overview.png",
            heterogeneity=out / "fish_heterogeneity.png",
            params=fish_counts.FishCountsParams(),
        ),
    )
