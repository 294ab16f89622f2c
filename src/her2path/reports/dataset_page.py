"""The page of a labelled dataset: what is in it, how it is split, and samples of each class."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import cv2
import shapely

from her2path.domain.label_classes import label_class
from her2path.imaging.label_crops import DrawnOutline, LabelCrop
from her2path.imaging.outlines import Outline
from her2path.io.dataset_documents import SPLITS, DatasetDoc, DatasetItem, Duplicate, Split

_QUALITIES = (90, 75, 60)
_MOST_BYTES = 6 * 2**20
"""Pictures on one page; beyond it they are compressed harder."""
_SHOWN_PX = 224
"""Width of a picture of a cell on the page: each pixel of 0.5 µm is shown twice as wide."""
_PLAIN_RGB = (0, 120, 120)
"""Colour of what has no class: numbered objects of a mask."""
_SIMPLER_PX = 0.15
_SPLIT_NAMES: dict[Split, str] = {"train": "train", "val": "val (chooses the model)", "test": "test"}
_SCORED = {"0", "1+", "2+", "3+"}
_HOW = {"same_file": "the same file", "same_pixels": "the same pixels", "same_field": "the same tissue"}


@dataclass(frozen=True, slots=True)
class Line:
    """One outline over a picture."""

    path: str
    """SVG path."""
    colour: str
    is_subject: bool


@dataclass(frozen=True, slots=True)
class SampleOnPage:
    """One picture with its outlines."""

    name: str
    crop: LabelCrop
    lines: tuple[Line, ...]
    image: str
    patient: str
    split: str

    @classmethod
    def of(cls, name: str, item: DatasetItem, crop: LabelCrop) -> SampleOnPage:
        """Prepare a crop."""
        # The subject is drawn last, over its neighbours.
        ordered = sorted(crop.outlines, key=lambda outline: outline.is_subject)
        lines = tuple(_line(outline) for outline in ordered)
        return cls(name, crop, lines, item.image.rsplit("/", 1)[-1], item.patient_id, item.split)

    @property
    def width(self) -> int:
        """Pixels of the picture."""
        return int(self.crop.rgb.shape[1])

    @property
    def height(self) -> int:
        """Likewise."""
        return int(self.crop.rgb.shape[0])

    @property
    def shown_px(self) -> int:
        """Width on the page."""
        return max(_SHOWN_PX, self.width)

    @property
    def width_um(self) -> float:
        """What the picture is wide on the slide, µm."""
        return self.width * self.crop.mpp

    @property
    def text(self) -> str:
        """What the picture shows, for who cannot see it."""
        return f"{self.name}: {self.image}, patient {self.patient}, {self.split}"

    def uri(self, quality: int) -> str:
        """Write the picture as a data URI."""
        options = [
            cv2.IMWRITE_JPEG_QUALITY,
            quality,
            cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
            cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
        ]
        _, data = cv2.imencode(".jpg", cv2.cvtColor(self.crop.rgb, cv2.COLOR_RGB2BGR), options)
        return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode("ascii")


@dataclass(frozen=True, slots=True)
class PictureOnPage:
    """A sample ready to be printed."""

    sample: SampleOnPage
    uri: str


@dataclass(frozen=True, slots=True)
class ClassOnPage:
    """One class with its samples."""

    name: str
    title: str
    colour: str
    counts: tuple[int, ...]
    """Labels by split."""
    images: int
    patients: int
    pictures: tuple[PictureOnPage, ...]


@dataclass(frozen=True, slots=True)
class OriginOnPage:
    """Images of one source under one licence."""

    source: str
    licence: str
    images: int


@dataclass(frozen=True, slots=True)
class DatasetPage:
    """All that the template prints."""

    name: str
    seed: int
    images: int
    patients: int
    splits: tuple[str, ...]
    images_by_split: tuple[int, ...]
    patients_by_split: tuple[int, ...]
    classes: tuple[ClassOnPage, ...]
    origins: tuple[OriginOnPage, ...]
    renamed: tuple[tuple[str, str], ...]
    duplicates: tuple[str, ...]
    warnings: tuple[str, ...]
    made_by: str


def dataset_page(dataset: DatasetDoc, samples: Sequence[SampleOnPage]) -> DatasetPage:
    """Prepare the page.

    Parameters
    ----------
    dataset : DatasetDoc
    samples : sequence of SampleOnPage
        Sorted by class.
    """
    pictures = _within_budget(samples)
    by_class = {
        name: tuple(found) for name, found in groupby(pictures, key=lambda picture: picture.sample.name)
    }
    names = sorted({name for counts in dataset.classes.values() for name in counts}, key=_rank)
    origins = sorted({(item.source, item.licence) for item in dataset.items})
    return DatasetPage(
        name=dataset.name,
        seed=dataset.seed,
        images=len({item.image for item in dataset.items}),
        patients=len({item.patient_id for item in dataset.items}),
        splits=tuple(_SPLIT_NAMES[split] for split in SPLITS),
        images_by_split=tuple(len({item.image for item in dataset.of_split(split)}) for split in SPLITS),
        patients_by_split=tuple(dataset.patients.get(split, 0) for split in SPLITS),
        classes=tuple(_class(dataset, name, by_class.get(name, ())) for name in names),
        origins=tuple(
            OriginOnPage(*origin, sum((item.source, item.licence) == origin for item in dataset.items))
            for origin in origins
        ),
        renamed=tuple(sorted((name, kind.value) for name, kind in dataset.renamed.items())),
        duplicates=tuple(_duplicate(dataset, pair) for pair in dataset.duplicates),
        warnings=dataset.warnings,
        made_by=f"her2path {dataset.produced_by.version}",
    )


def _class(dataset: DatasetDoc, name: str, pictures: tuple[PictureOnPage, ...]) -> ClassOnPage:
    holders = [item for item in dataset.items if item.labelled.get(name)]
    return ClassOnPage(
        name=name,
        title=f"Score {name}" if name in _SCORED else name,
        colour=_colour(name),
        counts=tuple(dataset.classes.get(split, {}).get(name, 0) for split in SPLITS),
        images=len({item.image for item in holders}),
        patients=len({item.patient_id for item in holders}),
        pictures=pictures,
    )


def _rank(name: str) -> tuple[bool, str]:
    """Scores of tiles and slides stand before classes of cells."""
    return name not in _SCORED, name


def _colour(name: str) -> str:
    kind = label_class(f"Tumor: {name}" if name in _SCORED else name)
    red, green, blue = _PLAIN_RGB if kind is None else kind.rgb
    return f"#{red:02x}{green:02x}{blue:02x}"


def _line(outline: DrawnOutline) -> Line:
    return Line(_path(outline.xy), _colour(outline.name), outline.is_subject)


def _path(xy: Outline) -> str:
    ring = shapely.Polygon(xy).simplify(_SIMPLER_PX).exterior
    points = shapely.get_coordinates(ring)[:-1].round(1).tolist()
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points) + "Z"


def _within_budget(samples: Sequence[SampleOnPage]) -> list[PictureOnPage]:
    """Write the pictures so that the page stays below `_MOST_BYTES`, or as far as the lowest quality goes."""
    found: list[PictureOnPage] = []
    for quality in _QUALITIES:
        found = [PictureOnPage(sample, sample.uri(quality)) for sample in samples]
        if sum(len(picture.uri) for picture in found) <= _MOST_BYTES:
            break
    return found


def _duplicate(dataset: DatasetDoc, pair: Duplicate) -> str:
    images = {item.item_id: item.image for item in dataset.items}
    what = _HOW[pair.how]
    if pair.overlap is not None:
        what += f" over {100 * pair.overlap:.0f} %"
    if abs(pair.turned_deg or 0) >= 1:
        what += f", turned by {pair.turned_deg:.0f}°"
    mirrored = ", mirrored" if pair.mirrored else ""
    return f"{images[pair.one]} and {images[pair.other]}: {what}{mirrored}"
