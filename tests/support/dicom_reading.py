"""DICOM objects read back by other software than wrote them: places, numbers and codes.

Coordinates go through highdicom's own transformations, bulk data through pydicom, so that nothing of
her2path's own arithmetic is used to check itself.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import highdicom as hd
import numpy as np
import numpy.typing as npt
from highdicom._standard_utils import get_iod_module_map, get_module_attribute_map, get_sop_class_iod_map
from highdicom.spatial import ReferenceToImageTransformer
from pydicom import Dataset

Places = npt.NDArray[np.float64]


def spacing_mm(image: Dataset) -> float:
    """Edge of a pixel."""
    return float(image.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing[0])


def to_pixels(source: Dataset, points_mm: Places) -> Places:
    """Where mm of the slide lie in pixels from the corner of level 0."""
    corner = source.TotalPixelMatrixOriginSequence[0]
    x, y = corner.XOffsetInSlideCoordinateSystem, corner.YOffsetInSlideCoordinateSystem
    to_image = ReferenceToImageTransformer(
        image_position=(float(x), float(y), 0.0),
        image_orientation=[float(one) for one in source.ImageOrientationSlide],
        pixel_spacing=[spacing_mm(source)] * 2,
    )
    flat = np.column_stack([points_mm[:, :2], np.zeros(len(points_mm))])
    return np.asarray(to_image(flat))[:, :2]


def read_annotations(
    path: Path, source: Dataset
) -> Iterator[tuple[str, Places, dict[str, npt.NDArray[np.float32]]]]:
    """Each group: label, level-0 places of all points, and numbers by the meaning of their name."""
    annotations = hd.ann.annread(path)
    for group in annotations.AnnotationGroupSequence:
        places = np.concatenate(group.get_graphic_data(annotations.AnnotationCoordinateType))
        if annotations.AnnotationCoordinateType == "3D":
            places = to_pixels(source, places)
        names, values, _ = group.get_measurements()
        yield (
            group.label,
            places,
            {name.meaning: column for name, column in zip(names, values.T, strict=True)},
        )


def read_segments(path: Path, source: Dataset) -> tuple[dict[str, int], npt.NDArray[np.uint8], Places, float]:
    """Numbers by label, the label of every pixel, the centres of pixels and their edge in level-0 pixels."""
    found = hd.seg.segread(path)
    numbers = {str(one.SegmentLabel): int(one.SegmentNumber) for one in found.SegmentSequence}
    pixels = found.get_total_pixel_matrix(combine_segments=True)
    place = found.PerFrameFunctionalGroupsSequence[0].PlanePositionSlideSequence[0]
    edge = spacing_mm(found) / spacing_mm(source)
    corner = [[float(place.XOffsetInSlideCoordinateSystem), float(place.YOffsetInSlideCoordinateSystem)]]
    own = [place.ColumnPositionInTotalImagePixelMatrix - 1, place.RowPositionInTotalImagePixelMatrix - 1]
    start = to_pixels(source, np.array(corner))[0] - np.array(own) * edge
    columns, rows = np.meshgrid(np.arange(pixels.shape[1]), np.arange(pixels.shape[0]))
    return numbers, pixels, np.stack([columns, rows], axis=-1) * edge + start, edge


def code_of(coded: Dataset) -> str:
    """A code, short or long."""
    return str(coded.get("CodeValue") or coded.get("LongCodeValue"))


def number_of(item: Dataset) -> float:
    """Value of a numeric content item."""
    value = item.MeasuredValueSequence[0]
    return float(value.get("FloatingPointValue", value.NumericValue))


def groups_of(path: Path) -> dict[str, Dataset]:
    """Groups of measurements of a report by their tracking identifier."""
    report = hd.sr.srread(path)
    (content,) = (
        item for item in report.ContentSequence if code_of(item.ConceptNameCodeSequence[0]) == "126010"
    )
    found = {}
    for group in content.ContentSequence:
        (name,) = (
            i.TextValue for i in group.ContentSequence if code_of(i.ConceptNameCodeSequence[0]) == "112039"
        )
        found[str(name)] = group
    return found


def numbers_of(group: Dataset) -> dict[str, tuple[float, dict[str, float]]]:
    """Numbers of a group by the code of their name: the value, and what lies above and below it."""
    found = {}
    for item in group.ContentSequence:
        if item.ValueType == "NUM":
            ranges = {
                code_of(one.ConceptNameCodeSequence[0]): number_of(one)
                for one in item.get("ContentSequence", ())
                if one.ValueType == "NUM"
            }
            found[code_of(item.ConceptNameCodeSequence[0])] = (number_of(item), ranges)
    return found


def answers_of(group: Dataset) -> dict[str, list[str]]:
    """Coded answers of a group by the code of the question."""
    found: dict[str, list[str]] = {}
    for item in group.ContentSequence:
        if item.ValueType == "CODE":
            question = code_of(item.ConceptNameCodeSequence[0])
            found.setdefault(question, []).append(code_of(item.ConceptCodeSequence[0]))
    return found


def findings_of(path: Path) -> list[str]:
    """What dciodvfy (dicom3tools) says of a file, without the name of its kind."""
    done = subprocess.run(["dciodvfy", "-new", path], capture_output=True, text=True)
    return [line for line in done.stderr.splitlines() if line.startswith(("Error", "Warning", "Abort"))]


def missing_attributes(made: Dataset) -> list[str]:
    """Attributes that the standard demands of an object and that it lacks.

    The tables are those of PS3.3 as highdicom ships them: what is looked for are attributes of type 1
    (there, with a value) and 2 (there) of every mandatory module, and of the optional ones that the
    object uses, at every depth.  Functional groups and the content of a report are left to dciodvfy,
    since these tables do not say which of their alternatives applies.  `dicom-validator` asks the same,
    but fetches its tables.
    """
    kinds = get_iod_module_map()[get_sop_class_iod_map()[made.SOPClassUID]]
    used = [one["key"] for one in kinds if one["usage"] == "M" or one["key"] in _USED]
    modules = [key for key in used if not key.endswith(_ALTERNATIVES)]
    missing = []
    for module in modules:
        for attribute in get_module_attribute_map()[module]:
            if attribute["type"] in {"1", "2"}:
                for item in _items_at(made, attribute["path"]):
                    lacks = attribute["keyword"] not in item
                    empty = attribute["type"] == "1" and not lacks and _is_empty(item, attribute["keyword"])
                    if lacks or empty:
                        missing.append(f"{module}: {'/'.join([*attribute['path'], attribute['keyword']])}")
    return missing


_USED = frozenset({"specimen", "frame-of-reference"})
_ALTERNATIVES = ("functional-groups", "document-content")


def _items_at(dataset: Dataset, path: list[str]) -> Iterator[Dataset]:
    if not path:
        yield dataset
        return
    for item in dataset.get(path[0]) or ():
        yield from _items_at(item, path[1:])


def _is_empty(item: Dataset, keyword: str) -> bool:
    value = item[keyword].value
    return value is None or (hasattr(value, "__len__") and len(value) == 0)
