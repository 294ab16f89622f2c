"""Breast, ASCO/CAP 2013 with the letter of 2015: the score 2+ is worded as in 2018, ISH as in 2013."""

from __future__ import annotations

from dataclasses import replace

from her2path.domain.guideline.breast_2013 import BREAST_2013
from her2path.domain.guideline.breast_2018 import BREAST_2018
from her2path.domain.guideline.breast_until_2015_call import combined_rules
from her2path.domain.guideline.definition import resourced, restamped

_AUTHOR = "Wolff 2015"
_UNCHANGED = f"{_AUTHOR} (letter), unchanged from "
_IHC = f"{_AUTHOR} (letter), IHC algorithm"

BREAST_2015 = replace(
    BREAST_2013,
    id="breast_2015",
    title="Breast cancer, ASCO/CAP 2013 with the letter of 2015",
    source="Wolff et al., reply on the ASCO/CAP HER2 guideline, 2015: clarifies 2+ and the retest of cores",
    ihc=resourced(
        BREAST_2018.ihc,
        {
            "IHC-3": f"{_IHC}: complete, intense, >10 %",
            "IHC-2-COMPLETE": f"{_IHC}: complete, weak to moderate, >10 %",
            "IHC-2-FOCAL": f"{_IHC}: complete, intense, <=10 % (more than the limit of blank, her2path "
            "policy P3)",
            "IHC-2-LATERAL": f"{_IHC}: unusual pattern, incomplete (basolateral or lateral), moderate to "
            "intense, >10 %",
            "IHC-1": f"{_IHC}: incomplete, faint, >10 %",
            "IHC-0-ABSENT": f"{_IHC}: no staining",
            "IHC-0-FAINT": f"{_IHC}: incomplete, faint, <=10 %",
        },
    ),
    ish_dual=restamped(BREAST_2013.ish_dual, _UNCHANGED),
    ish_single=restamped(BREAST_2013.ish_single, _UNCHANGED),
    combined=restamped(combined_rules("Wolff 2013"), _UNCHANGED),
    specimen=restamped(BREAST_2013.specimen, _UNCHANGED),
)
