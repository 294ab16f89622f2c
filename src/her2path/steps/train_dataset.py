"""Step `train_dataset`: check labelled images, split them by patient, and write manifest and page."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, ConfigDict, model_validator

from her2path.domain.label_classes import LabelClass, label_class
from her2path.errors import CaseSheetError, SheetFault, SlideError

log = logging.getLogger(__name__)


class TrainDatasetParams(BaseModel):
    """What an operator may set for this step; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    name: str = "dataset"
    """Name of the dataset on its page and in the cards of models."""
    seed: Annotated[int, Ge(0)] = 0
    """Of the split by patient."""
    val: Annotated[float, Gt(0), Lt(0.5)] = 0.15
    """Share of the patients that choose the model."""
    test: Annotated[float, Ge(0), Lt(0.5)] = 0.15
    """Share of the patients that are kept for the evaluation; 0 where it has a dataset of its own."""
    classes: dict[str, str] = {}
    """What names of another project stand for, for example ``{"3+ cell": "Tumor: 3+"}``."""
    samples: Annotated[int, Ge(1), Le(40)] = 8
    """Crops of each class on the page."""

    @model_validator(mode="after")
    def _known_classes(self) -> TrainDatasetParams:
        for words in self.classes.values():
            if label_class(words) is None:
                known = ", ".join(kind.value for kind in LabelClass)
                raise ValueError(f"classes: {words!r} is no class; known are {known}")
        return self


def run(
    *,
    sheet: Path,
    earlier: Path | None = None,
    manifest: Path,
    page: Path,
    workers: int,
    params: TrainDatasetParams,
) -> None:
    """Write `manifest.json`, and beside it `dataset.html` with samples of each class.

    `earlier` is a manifest whose patients keep their splits.
    """
    # These take a second to load, and every step's parameters come with the configuration.
    from her2path.io.dataset_documents import read_dataset  # noqa: PLC0415
    from her2path.io.dataset_sheet import WHAT, read_dataset_sheet  # noqa: PLC0415
    from her2path.io.documents import write_document  # noqa: PLC0415
    from her2path.io.files import write_text  # noqa: PLC0415
    from her2path.io.provenance import digests, producer  # noqa: PLC0415
    from her2path.reports.dataset_page import SampleOnPage, dataset_page  # noqa: PLC0415
    from her2path.reports.html.rendering import render_dataset  # noqa: PLC0415
    from her2path.training.manifest import Wish, build_dataset  # noqa: PLC0415
    from her2path.training.manifest_items import read_items  # noqa: PLC0415
    from her2path.training.samples import choose_samples  # noqa: PLC0415
    from her2path.training.splits import Shares  # noqa: PLC0415

    rows = read_dataset_sheet(sheet)
    renamed = {name: LabelClass(str(label_class(words))) for name, words in params.classes.items()}
    items = read_items(rows, renamed=renamed, workers=workers)
    log.info("%d labelled images read", len(items))
    inputs = {"sheet": sheet} if earlier is None else {"sheet": sheet, "earlier": earlier}
    dataset = build_dataset(
        items,
        Wish(
            params.name,
            params.seed,
            Shares(params.val, params.test),
            renamed,
            None if earlier is None else read_dataset(earlier),
        ),
        folder=manifest.parent,
        producer=producer("train_dataset", params),
        inputs=digests(**inputs),
    )
    write_document(manifest, dataset)
    try:
        samples = choose_samples(manifest, dataset, each=params.samples)
    except SlideError as error:
        # Only samples of each image were decoded before; a tile in between may be damaged.
        raise CaseSheetError((SheetFault(0, "", str(error)),), WHAT) from error
    shown = [SampleOnPage.of(sample.name, sample.item, sample.crop) for sample in samples]
    write_text(page, render_dataset(dataset_page(dataset, shown)))
    for words in dataset.warnings:
        log.info("%s", words)
