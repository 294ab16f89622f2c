"""Biliary tract, zanidatamab: eligibility by IHC 3+ (label of November 2024)."""

from __future__ import annotations

from dataclasses import replace

from her2path.domain.case import TumourSite
from her2path.domain.guideline.gastroesophageal_2016 import GASTROESOPHAGEAL_2016
from her2path.domain.guideline.label_3plus import COMMENTS, combined_rules, scoring

_LABEL = "FDA label 2024, zanidatamab in biliary tract cancer"

BILIARY_ZANIDATAMAB_2024 = replace(
    GASTROESOPHAGEAL_2016,
    id="biliary_zanidatamab_2024",
    title="Biliary tract cancer, eligibility for zanidatamab by IHC 3+ (2024)",
    source="FDA, accelerated approval of zanidatamab for HER2-positive (IHC 3+) biliary tract cancer, "
    "November 2024",
    family="biliary",
    sites=frozenset({TumourSite.BILIARY}),
    ihc=scoring(_LABEL),
    combined=combined_rules(_LABEL),
    comments=COMMENTS,
)
