"""Any solid tumour, trastuzumab deruxtecan: eligibility by IHC 3+ (label of April 2024)."""

from __future__ import annotations

from dataclasses import replace

from her2path.domain.case import TumourSite
from her2path.domain.guideline.gastroesophageal_2016 import GASTROESOPHAGEAL_2016
from her2path.domain.guideline.label_3plus import COMMENTS, combined_rules, scoring

_LABEL = "FDA label 2024, trastuzumab deruxtecan in solid tumours"

PANTUMOUR_TDXD_2024 = replace(
    GASTROESOPHAGEAL_2016,
    id="pantumour_tdxd_2024",
    title="Solid tumours, eligibility for trastuzumab deruxtecan by IHC 3+ (2024)",
    source="FDA, accelerated approval of trastuzumab deruxtecan for HER2-positive (IHC 3+) solid tumours, "
    "5 April 2024; scored as in DESTINY-PanTumor02",
    family="pantumour",
    sites=frozenset(TumourSite),
    ihc=scoring(_LABEL),
    combined=combined_rules(_LABEL),
    comments=COMMENTS,
)
