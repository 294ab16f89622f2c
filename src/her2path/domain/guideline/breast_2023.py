"""Breast, ASCO/CAP 2023: affirms the rules of 2018 and adds no result category.

It declines to make HER2-low or ultralow a result and advises a comment that helps to read a
negative one instead; the overlay `her2path.domain.low_expression` stays apart from the result.
"""

from __future__ import annotations

from dataclasses import replace

from her2path.domain.guideline.breast_2018 import BREAST_2018
from her2path.domain.guideline.definition import restamped

_AFFIRMS = "Wolff 2023, affirming "

BREAST_2023 = replace(
    BREAST_2018,
    id="breast_2023",
    title="Breast cancer, ASCO/CAP 2023 (affirms 2018)",
    source="Wolff et al., ASCO/CAP HER2 testing in breast cancer, guideline update 2023",
    ihc_rejections=restamped(BREAST_2018.ihc_rejections, _AFFIRMS),
    ihc=restamped(BREAST_2018.ihc, _AFFIRMS),
    ish_rejections=restamped(BREAST_2018.ish_rejections, _AFFIRMS),
    recount_rejections=restamped(BREAST_2018.recount_rejections, _AFFIRMS),
    recount_flags=restamped(BREAST_2018.recount_flags, _AFFIRMS),
    ish_dual=restamped(BREAST_2018.ish_dual, _AFFIRMS),
    ish_single=restamped(BREAST_2018.ish_single, _AFFIRMS),
    combined=restamped(BREAST_2018.combined, _AFFIRMS),
    specimen=restamped(BREAST_2018.specimen, _AFFIRMS),
    low_expression_comment="NOTE-LOW",
)
