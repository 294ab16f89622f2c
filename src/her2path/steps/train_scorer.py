"""Step `train_scorer`: fit the cuts of a model to scored cells, tiles and slides."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Le
from pydantic import BaseModel, ConfigDict

log = logging.getLogger(__name__)


class TrainScorerParams(BaseModel):
    """What an operator may set for this step; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    model: str = "her2-star-2"
    """Model whose cells are measured and whose cuts are moved; its id, or the path of its folder."""
    seed: Annotated[int, Ge(0)] = 1
    """Of the bootstrap over patients, which gives the cuts their intervals."""
    draws: Annotated[int, Ge(0), Le(2000)] = 100
    """Of the bootstrap; 0 = no intervals."""


def run(*, dataset: Path, weights: Path, record: Path, params: TrainScorerParams) -> None:
    """Write `fit.json`, and the model's weights beside it, which stay as they are."""
    # OpenVINO takes a third of a second to load, and every step's parameters are loaded together.
    from her2path.io.dataset_documents import read_dataset  # noqa: PLC0415
    from her2path.io.documents import write_document  # noqa: PLC0415
    from her2path.io.files import sha256_of, write_bytes  # noqa: PLC0415
    from her2path.io.model_card import DatasetEntry, WeightsEntry  # noqa: PLC0415
    from her2path.io.model_store import open_model  # noqa: PLC0415
    from her2path.io.new_model import check_new_id, check_writable  # noqa: PLC0415
    from her2path.io.provenance import digests, producer  # noqa: PLC0415
    from her2path.io.scorer_document import ScorerDoc  # noqa: PLC0415
    from her2path.training.evaluation import ready_stored  # noqa: PLC0415
    from her2path.training.scorer_fit import fit_to_dataset  # noqa: PLC0415

    check_new_id(weights.parent)
    check_writable(weights.parent)
    labelled = read_dataset(dataset, verify=True)
    model = open_model(params.model)
    card = model.card
    start = ready_stored(model)
    fitted = fit_to_dataset(
        dataset,
        labelled,
        finder=start.finder,
        start=start.calibration,
        seed=params.seed,
        draws=params.draws,
    )
    write_bytes(weights, model.weights_path.read_bytes())
    write_document(
        record,
        ScorerDoc(
            produced_by=producer("train_scorer", params),
            inputs=digests(dataset=dataset, weights=model.weights_path),
            model=WeightsEntry(id=card.id, sha256=card.sha256),
            dataset=DatasetEntry(name=labelled.name, sha256=sha256_of(dataset)),
            calibration=record.parent.name,
            cuts=fitted.cuts,
            softness=fitted.softness,
            labels={"train": fitted.train, "val": fitted.val},
            measures=fitted.measures,
            why_no_validation=fitted.why_no_validation,
            seed=params.seed,
            draws=params.draws,
        ),
    )
    for measure in fitted.measures:
        log.info(
            "%s of %s: exact %.3f before, %.3f after",
            measure.of,
            measure.on,
            measure.exact_before,
            measure.exact_after,
        )
