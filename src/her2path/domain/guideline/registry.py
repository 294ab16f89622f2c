"""The guidelines that her2path knows; a new one is a module of data and a line here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from her2path.domain.guideline.biliary_zanidatamab_2024 import BILIARY_ZANIDATAMAB_2024
from her2path.domain.guideline.breast_2007 import BREAST_2007
from her2path.domain.guideline.breast_2013 import BREAST_2013
from her2path.domain.guideline.breast_2015 import BREAST_2015
from her2path.domain.guideline.breast_2018 import BREAST_2018
from her2path.domain.guideline.breast_2023 import BREAST_2023
from her2path.domain.guideline.colorectal_harmonised_2019 import COLORECTAL_HARMONISED_2019
from her2path.domain.guideline.colorectal_heracles_2015 import COLORECTAL_HERACLES_2015
from her2path.domain.guideline.definition import Guideline
from her2path.domain.guideline.endometrial_serous_2022 import ENDOMETRIAL_SEROUS_2022
from her2path.domain.guideline.gastroesophageal_2016 import GASTROESOPHAGEAL_2016
from her2path.domain.guideline.pantumour_tdxd_2024 import PANTUMOUR_TDXD_2024
from her2path.errors import ConfigError

GUIDELINES: Mapping[str, Guideline] = MappingProxyType(
    {
        guideline.id: guideline
        for guideline in (
            BREAST_2007,
            BREAST_2013,
            BREAST_2015,
            BREAST_2018,
            BREAST_2023,
            GASTROESOPHAGEAL_2016,
            COLORECTAL_HERACLES_2015,
            COLORECTAL_HARMONISED_2019,
            ENDOMETRIAL_SEROUS_2022,
            PANTUMOUR_TDXD_2024,
            BILIARY_ZANIDATAMAB_2024,
        )
    }
)
"""Every known guideline by its id."""


DEFAULT_GUIDELINE = "breast_2023"
"""Where nobody names one; for a tumour of the breast, or of an organ that was not stated, only."""


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
