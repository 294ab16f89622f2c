"""Comments on calls by the breast guidelines of 2018 and 2023, in her2path's own words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from her2path.domain.guideline.definition import CommentKind, CommentText

_MANDATORY = (
    (
        "G2",
        "ISH ratio at or above 2.0, but fewer than 4.0 HER2 copies per nucleus (group 2). There is little "
        "evidence that such tumours respond to HER2-targeted treatment: in the early adjuvant trials this "
        "subgroup showed no clear benefit, and it was too small to settle the question. Without an IHC score "
        "of 3+ the low copy number and the missing overexpression lead to a negative result.",
    ),
    (
        "G3",
        "6.0 or more HER2 copies per nucleus, but an ISH ratio below 2.0 (group 3), without overexpression "
        "by IHC. Data on HER2-targeted treatment of this combination are insufficient, since the early "
        "trials did not admit it. The result is therefore stated as negative.",
    ),
    (
        "G4",
        "At least 4.0 but fewer than 6.0 HER2 copies per nucleus with an ISH ratio below 2.0 (group 4), "
        "without an IHC score of 3+. Whether HER2-targeted treatment helps here is uncertain. The numbers "
        "lie near a cut-point, so a repeated test of the same specimen may cross it by chance alone; the "
        "result is stated as negative without further testing of this specimen.",
    ),
    (
        "SP6",
        "A single-probe ISH with 6.0 or more HER2 copies per nucleus is read as positive, but the IHC score "
        "is 0 or 1+. A dual-probe ISH is advised, because a raised copy number of the whole chromosome 17 "
        "looks the same to a single probe.",
    ),
)
_ACTIONS = (
    (
        "ACT-ISH",
        "IHC 2+ is no final result. The laboratory must test the same specimen by ISH, or repeat the testing "
        "on a new specimen if there is one.",
    ),
    (
        "ACT-DUAL",
        "IHC 2+ with 4.0 to below 6.0 HER2 copies by a single probe is no final result. The laboratory must "
        "test the specimen with a dual probe.",
    ),
    (
        "ACT-IHC",
        "This ISH group gives no final result by itself. The laboratory must stain, or the pathologist must "
        "review, IHC of the same tissue sample, and choose the area to be counted on both slides together.",
    ),
    (
        "ACT-IHC-OR-DUAL",
        "4.0 to below 6.0 HER2 copies by a single probe are no final result. The laboratory must test the "
        "same tissue by IHC, by a dual probe, or by both.",
    ),
    (
        "ACT-RECOUNT",
        "IHC 2+ with this ISH group needs a recount: a second observer who does not know the first result "
        "counts at least 20 nuclei that include the invasive area with IHC 2+.",
    ),
    (
        "ACT-ADJUDICATE",
        "The two counts give different ISH results. The laboratory must adjudicate by its own written "
        "procedure; her2path makes no call.",
    ),
    (
        "ACT-REPEAT",
        "Technical reasons prevent a result (see the trail). The laboratory must repeat the test or ask for "
        "another specimen.",
    ),
)
_NOTES = (
    (
        "NOTE-DISCORDANT",
        "IHC and ISH disagree, and the call follows the one that decides by this guideline. Both slides "
        "should be reviewed together with the histology, and a mix-up of specimens be excluded.",
    ),
    (
        "NOTE-SP-REVIEW",
        "The result rests on a single probe; IHC of the same tissue should be reviewed beside it.",
    ),
    (
        "NOTE-LOW",
        "The level of HER2 expression can matter although the result is negative, so the scores 0 and 1+ "
        "should be told apart with care: at high magnification, with controls that include 1+, and by a "
        "second reader near the cut-point.",
    ),
)

COMMENTS: Mapping[str, CommentText] = MappingProxyType(
    {
        code: CommentText(code, kind, text)
        for kind, rows in (
            (CommentKind.MANDATORY, _MANDATORY),
            (CommentKind.ACTION, _ACTIONS),
            (CommentKind.NOTE, _NOTES),
        )
        for code, text in rows
    }
)
"""Every comment by its code."""
