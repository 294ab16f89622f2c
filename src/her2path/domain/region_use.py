"""What regions that a person draws do to those that a slide has."""

from __future__ import annotations

from enum import StrEnum


class RegionUse(StrEnum):
    """Whether drawn regions take the place of earlier ones."""

    REPLACE = "replace"
    ADD = "add"
