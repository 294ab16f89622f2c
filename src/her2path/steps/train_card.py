"""Step `train_card`: measure a fitted model on scenes of its own and write its card."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Le, MultipleOf
from pydantic import BaseModel, ConfigDict


class TrainCardParams(BaseModel):
    """What an operator may set for this step; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    scenes: Annotated[int, Ge(2), Le(1000)] = 24
    """Held-out scenes for the metrics, and as many without staining for the limit of blank."""
    side_px: Annotated[int, Ge(256), Le(4096), MultipleOf(8)] = 1024
    """Their edge at 0.5 µm/px."""


def run(*, scenes: Path, record: Path, weights: Path, card: Path, params: TrainCardParams) -> None:
    """Write `model.yaml` beside the weights."""
    # OpenVINO takes a third of a second to load, and every step's parameters are loaded together.
    from her2path.training.card import write_card  # noqa: PLC0415

    write_card(
        card, catalogue=scenes, record=record, weights=weights, scenes=params.scenes, side_px=params.side_px
    )
