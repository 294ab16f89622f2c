"""DICOM: what comes back of cells, regions and the score, what the standard's checker says, and two
million cells.

The slide is a phantom written as a DICOM series, and a real core where the data are at hand.  Objects are
read back with highdicom and pydicom (`tests.support.dicom_reading`).
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pydicom
import shapely
import tifffile

from her2path.io.artefacts import IHC_FILES
from her2path.io.dicom_documents import DicomDoc
from her2path.io.documents import IhcScoreDoc, Producer, read_document, required
from her2path.io.phantom_dicom import write_dicom_slide
from her2path.io.qupath_cells import read_cells
from her2path.io.slides.dicom_series import read_levels
from her2path.io.tables import IHC_CELLS, IHC_CONTOURS, facts_of, read_table, write_table
from tests.support.dicom_reading import findings_of, groups_of, numbers_of, read_annotations, read_segments
from tests.support.dicom_slide import (
    CONTROL,
    EXCLUDED,
    PLANTED,
    MeasuredSlide,
    make_objects,
    measure_series,
    write_series,
)
from tests.support.mosaic import core_files
from tests.support.step_cost import cost_of
from tests.validation.exchange.rows import Row

CELLS = 2_000_000
_CORE_MPP = 0.25
_OBJECTS = ("cells.dcm", "quality.dcm", "regions.dcm", "report.dcm")


def measure() -> list[Row]:
    """Measure objects of a phantom and of a real core, and two million cells."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        phantom = measure_series(write_series(root / "phantom"), root / "p1")
        rows = [*_read_back(phantom, root / "phantom_objects", "phantom of 1300 x 1200 px")]
        rows += _regions(phantom, root / "phantom_objects" / "dicom")
        rows += _checked(root / "phantom_objects" / "dicom")
        rows += _real(root)
        rows += _many(phantom, root)
        return rows


def _real(root: Path) -> Iterator[Row]:
    if not (cores := core_files()):
        return
    write_dicom_slide(root / "core", tifffile.imread(cores[0], key=0), mpp=_CORE_MPP)
    core = measure_series(root / "core", root / "c1", drawn=False)
    yield from _read_back(core, root / "core_objects", f"real core ({cores[0].stem}) written as DICOM")


def _read_back(slide: MeasuredSlide, folder: Path, on: str) -> Iterator[Row]:
    source = read_levels(slide.folder, name="i")[0]
    known = list(read_cells(slide.at.cells, slide.at.contours))
    for coordinates, words in (("glass", "mm on the glass"), ("pixels", "pixels")):
        dicom = make_objects(
            slide, folder / ("dicom" if coordinates == "glass" else "px"), coordinates=coordinates
        )
        furthest, numbers, cells = 0.0, 0, 0
        for label, places, columns in read_annotations(dicom / "cells.dcm", source):
            ids = columns["Number of the cell"].astype(int)
            group = [known[cell_id - 1] for cell_id in ids.tolist()]
            furthest = max(furthest, float(np.abs(places - np.concatenate([c.cell_xy for c in group])).max()))
            numbers += sum(cell.kind.name != label for cell in group)
            stored = np.array([cell.measurements["Cell: Area µm^2"] for cell in group], np.float32)
            numbers += int((columns["Area"] != stored).sum())
            cells += len(ids)
        detail = f"{cells} cells, {sum(len(c.cell_xy) for c in known)} points"
        yield Row(
            f"Furthest point of a cell from its place, {words}",
            on,
            furthest,
            "px",
            threshold=0.5,
            direction="at most",
            detail=detail,
        )
        yield Row(
            f"Cells with another class or area, {words}",
            on,
            numbers + abs(cells - len(known)),
            "",
            threshold=0,
            direction="at most",
        )
    yield from _score(slide, folder / "dicom", on)


def _score(slide: MeasuredSlide, dicom: Path, on: str) -> Iterator[Row]:
    result = required(read_document(slide.at.score, IhcScoreDoc).result, slide.at.score)
    found = numbers_of(groups_of(dicom / "report.dcm")["HER2 IHC of the slide"])
    shares = {**result.percentages, **result.compared}
    other = sum(found[f"pct_{name}"][0] != share.pct for name, share in shares.items())
    ends = max(
        max(
            abs(found[f"pct_{name}"][0] + found[f"pct_{name}"][1]["371886008"] - share.high_pct),
            abs(found[f"pct_{name}"][0] - found[f"pct_{name}"][1]["371885007"] - share.low_pct),
        )
        for name, share in shares.items()
    )
    yield Row(
        "Percentages that come back as another number",
        on,
        other,
        "",
        threshold=0,
        direction="at most",
        detail=f"{len(shares)} percentages",
    )
    yield Row(
        "Ends of their intervals, largest difference", on, ends, "%", threshold=1e-9, direction="at most"
    )


def _regions(slide: MeasuredSlide, dicom: Path) -> Iterator[Row]:
    source = read_levels(slide.folder, name="i")[0]
    numbers, pixels, centres, edge = read_segments(dicom / "regions.dcm", source)
    furthest = 0.0
    for label, ring in (("Excluded", EXCLUDED), ("Control 1", CONTROL)):
        area = shapely.Polygon(ring)
        points = shapely.points(centres.reshape(-1, 2))
        inside = (pixels == numbers[label]).ravel()
        wrong = shapely.contains(area, points) != inside
        if wrong.any():
            furthest = max(furthest, float(shapely.distance(area.exterior, points[wrong]).max()) / edge)
    on = f"phantom, pixels of {edge:.0f} x {edge:.0f} level-0 pixels"
    yield Row(
        "Furthest misplaced pixel from the outline of its region",
        on,
        furthest,
        "px",
        threshold=0.5,
        direction="at most",
        detail="pixels of the segmentation",
    )


def _checked(dicom: Path) -> Iterator[Row]:
    findings = [line for name in _OBJECTS for line in findings_of(dicom / name)]
    errors = sum(not line.startswith("Warning") for line in findings)
    kinds = {line.rpartition(" - ")[2].partition(" = ")[0] for line in findings if line.startswith("Warning")}
    yield Row(
        "Errors by dciodvfy", "all objects of the phantom", errors, "", threshold=0, direction="at most"
    )
    yield Row(
        "Kinds of its warnings", "all objects of the phantom", len(kinds), "", detail="; ".join(sorted(kinds))
    )
    leaks = sum(word.encode() in path.read_bytes() for path in dicom.iterdir() for word in PLANTED)
    on = f"{len(PLANTED)} planted names and numbers in all files"
    yield Row("Planted personal data that are found", on, leaks, "", threshold=0, direction="at most")


def _many(slide: MeasuredSlide, root: Path) -> Iterator[Row]:
    folder = root / "many"
    folder.mkdir()
    at = vars(slide.at) | {name: folder / IHC_FILES[name] for name in ("cells", "contours")}
    _repeated(slide, at["cells"], at["contours"])
    for kind in ("outlines", "centres"):
        command = [
            sys.executable,
            "-m",
            "her2path.cli.main",
            "step",
            "slide_dicom",
            "--image",
            str(slide.folder),
        ]
        for name in ("slide", "quality", "tissue", "artefacts", "cells", "contours", "score"):
            command += [f"--{name}", str(at[name])]
        dicom = folder / kind / "dicom"
        command += ["--dicom", str(dicom), "--params", f'{{"cells_as": "{kind}"}}']
        seconds, peak_mb = cost_of(command)
        on = f"{CELLS:,} cells as {kind} (a phantom repeated)"
        size = (dicom / "cells.dcm").stat().st_size / 1e9
        held = required(read_document(dicom / "objects.json", DicomDoc).result, dicom).objects[0].holds
        read = pydicom.dcmread(dicom / "cells.dcm", defer_size=1024)
        stored = sum(group.NumberOfAnnotations for group in read.AnnotationGroupSequence)
        yield Row(
            "Cells that are lost",
            on,
            CELLS - min(stored, sum(held.values())),
            "",
            threshold=0,
            direction="at most",
        )
        yield Row("Peak memory of slide_dicom", on, peak_mb, "MB", threshold=500, direction="at most")
        yield Row("Time of slide_dicom", on, seconds, "s")
        yield Row("Size of cells.dcm", on, size, "GB")


def _repeated(slide: MeasuredSlide, cells: Path, contours: Path) -> None:
    """Write tables of `CELLS` cells: those of the slide again and again, with numbers of their own."""
    made_by = Producer(step="validation", version="0")
    facts, outlines = read_table(slide.at.cells, IHC_CELLS), read_table(slide.at.contours, IHC_CONTOURS)
    with (
        write_table(cells, IHC_CELLS, produced_by=made_by, facts=facts_of(slide.at.cells)) as many_facts,
        write_table(contours, IHC_CONTOURS, produced_by=made_by) as many_outlines,
    ):
        for start in range(0, CELLS, len(facts)):
            rows = min(len(facts), CELLS - start)
            for table, many in ((facts, many_facts), (outlines, many_outlines)):
                part = table.slice(0, rows)
                many.append(_columns(part, start))


def _columns(part: pa.Table, start: int) -> dict[str, object]:
    columns: dict[str, object] = {}
    for name in part.column_names:
        column = part[name].combine_chunks()
        if name == "cell_id":
            column = pa.array(np.arange(start + 1, start + 1 + len(part)))
        elif pa.types.is_dictionary(column.type):
            column = column.cast(pa.string())
        columns[name] = column
    return columns
