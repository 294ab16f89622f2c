"""Step `train_evaluate`: measure a model beside the one in use, and write its card."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from her2path.errors import ModelError


class TrainEvaluateParams(BaseModel):
    """What an operator may set for this step; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    against: str = "her2-star-2"
    """Model now in use, with which the new one is compared: an id, or the path of a folder."""


def run(
    *,
    weights: Path,
    record: Path,
    dataset: Path | None,
    guards: list[Path],
    evaluation: Path,
    page: Path,
    card: Path,
    params: TrainEvaluateParams,
) -> None:
    """Write `evaluation.json`, its page, and `model.yaml` beside the weights."""
    # OpenVINO takes a third of a second to load, and every step's parameters are loaded together.
    from her2path.io.documents import document_text  # noqa: PLC0415
    from her2path.io.files import write_text  # noqa: PLC0415
    from her2path.io.new_model import check_new_id  # noqa: PLC0415
    from her2path.io.provenance import digests, producer  # noqa: PLC0415
    from her2path.reports.evaluation_page import evaluation_page  # noqa: PLC0415
    from her2path.reports.html.rendering import render_evaluation  # noqa: PLC0415
    from her2path.training.evaluation_report import EvaluationInputs, evaluate_model  # noqa: PLC0415

    folder = weights.parent
    for path in (weights, record):
        if not path.is_file():
            detail = f"{path.name} is missing; give the folder that `her2path train fit` has written"
            raise ModelError(folder.name, detail)
    check_new_id(folder)
    inputs = EvaluationInputs(weights, record, dataset, tuple(guards), params.against)
    named = {f"guard_{place}": path for place, path in enumerate(guards)}
    if dataset is not None:
        named["dataset"] = dataset
    found = evaluate_model(
        inputs,
        produced_by=producer("train_evaluate", params),
        digests=digests(weights=weights, record=record, **named),
    )
    # The card holds the digest of the evaluation and comes last: after a stop in between, the old card
    # does not fit the new evaluation, and the model is not promoted.
    write_text(evaluation, document_text(found.document))
    write_text(page, render_evaluation(evaluation_page(found.document)))
    write_text(card, found.card_text)
