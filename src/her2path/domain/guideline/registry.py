"""The guidelines that her2path knows; a new one is a module of data and a line here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from her2path.domain.guideline.breast_2007 import BREAST_2007
from her2path.domain.guideline.breast_2013 import BREAST_2013
from her2path.domain.guideline.breast_2015 import BREAST_2015
from her2path.domain.guideline.breast_2018 import BREAST_2018
from her2path.domain.guideline.breast_2023 import BREAST_2023
from her2path.domain.guideline.definition import Guideline
from her2path.errors import ConfigError

GUIDELINES: Mapping[str, Guideline] = MappingProxyType(
    {
        guideline.id: guideline
        for guideline in (BREAST_2007, BREAST_2013, BREAST_2015, BREAST_2018, BREAST_2023)
    }
)
"""Every known guideline by its id."""


def guideline_ids() -> tuple[str, ...]:
    """List the ids that may be named in a case sheet."""
    return tuple(sorted(GUIDELINES))


def find_guideline(guideline_id: str) -> Guideline:
    """Look up a guideline.

    Raises
    ------
    ConfigError
        There is no such guideline; the message lists those that exist.
    """
    if guideline_id not in GUIDELINES:
        known = ", ".join(guideline_ids())
        raise ConfigError((f"guideline {guideline_id!r} is unknown; known are {known}",))
    return GUIDELINES[guideline_id]
