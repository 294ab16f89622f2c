"""The evaluation of a model as its card sums it up."""

from __future__ import annotations

import math
from collections.abc import Sequence

import yaml

from her2path.errors import ModelError
from her2path.imaging.ihc.learned import CALIBRATION
from her2path.io.evaluation_documents import EvaluatedSet, EvaluationDoc
from her2path.io.model_card import EvaluationEntry, MetricEntry, ModelCard
from her2path.training.evaluation_figures import STAINED

_DIGITS = 4


def limit_of_blank(model_id: str, sets: Sequence[EvaluatedSet]) -> tuple[float, str]:
    """Find the limit of blank that a model is used with, and what it was measured on.

    The highest of those on unstained phantoms, to the next tenth of a per cent.  Tissue that a person scored
    0 may hold up to 10 % of faintly stained cells, so it does not count here.

    Returns
    -------
    limit_pct : float
    measured_on : str

    Raises
    ------
    ModelError
        No guard set has unstained phantoms with enough tumour cells.
    """
    found = [
        (blank.limit_pct.value, blank, evaluated)
        for evaluated in sets
        if evaluated.kind == "guard"
        for blank in evaluated.blank
        if blank.model == model_id and blank.limit_pct.value is not None
    ]
    if not found:
        detail = "it finds too few tumour cells on every unstained phantom for a limit of blank; fit longer"
        raise ModelError(model_id, detail)
    share, blank, evaluated = max(found, key=lambda item: item[0])
    limit = max(CALIBRATION.limit_of_blank_pct, math.ceil(round(10 * share, 6)) / 10)
    return limit, (
        f"{blank.pictures} unstained phantoms of guard set {evaluated.name}: 95 % of them have at most "
        f"{share:.2f} % of the scored cells called stained, the worst {blank.worst_pct:.2f} %"
    )


def measured_card(draft: ModelCard, sets: Sequence[EvaluatedSet]) -> ModelCard:
    """Put figures and limit of blank on a card; ModelError where `limit_of_blank` finds none."""
    limit, measured_on = limit_of_blank(draft.id, sets)
    return draft.model_copy(
        update={
            "metrics": tuple(metric for evaluated in sets for metric in _metrics(evaluated)),
            "calibration": draft.calibration.model_copy(
                update={"limit_of_blank_pct": limit, "measured_on": measured_on}
            ),
        }
    )


def complete_card(measured: ModelCard, found: EvaluationDoc, *, sha256: str) -> ModelCard:
    """Put the evaluation on a card.

    Parameters
    ----------
    measured : ModelCard
        With the figures of `found`, which holds its digests.
    found : EvaluationDoc
    sha256 : str
        Of the file of `found`.
    """
    entry = EvaluationEntry(sha256=sha256, compared_with=found.compared_with[0], guards=found.guards)
    return measured.model_copy(update={"evaluation": entry})


def _metrics(evaluated: EvaluatedSet) -> list[MetricEntry]:
    on = f"guard set {evaluated.name}" if evaluated.kind == "guard" else f"dataset {evaluated.name}"
    return [
        MetricEntry(
            name=row.title,
            on=f"{on}, {len(evaluated.items)} pictures",
            value=round(row.new.value, _DIGITS),
            low=None if row.new.low is None else round(row.new.low, _DIGITS),
            high=None if row.new.high is None else round(row.new.high, _DIGITS),
            slides=max(row.new.n, 1),
        )
        for row in evaluated.figures
        if row.new.value is not None and row.name != STAINED.name
    ]


def card_text(card: ModelCard) -> str:
    """Render a card as YAML."""
    # What a card does not have is left out; what it might have is told by the model of the card.
    data = card.model_dump(mode="json", exclude_none=True)
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100)
