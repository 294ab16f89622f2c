"""Rows of the table that come from phantom slides."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from her2path.domain.ihc import IhcScore
from her2path.domain.stats.intervals import wilson_interval
from tests.validation.ihc.agreement import SlideAgreement
from tests.validation.measures import Measure, drawn_interval


def detection_f1(slides: Sequence[SlideAgreement]) -> Measure:
    """F1 of tumour-cell detection over all cells of all slides; slides are drawn for the interval."""

    def f1(chosen: Sequence[SlideAgreement]) -> float:
        hits = sum(s.true_positives for s in chosen)
        faults = sum(s.false_positives + s.false_negatives for s in chosen)
        return 2 * hits / max(2 * hits + faults, 1)

    low, high = drawn_interval(slides, f1)
    each = [f1([s]) for s in slides]
    detail = f"worst slide {min(each):.2f}"
    return Measure("tumour-cell detection F1", _on(slides), f1(slides), "", low, high, 0.90, detail=detail)


def completeness_mae(slides: Sequence[SlideAgreement], key: str = "expressed") -> Measure:
    """Mean absolute error of completeness over matched cells, each slide weighing the same."""
    measured = [s for s in slides if key in s.completeness_mae]
    names = {
        "expressed": ("completeness, mean absolute error, against expressed truth", 0.08),
        "shown": ("same, against shown completeness", None),
        "stained": ("same, of cells that show staining only", None),
    }
    name, threshold = names[key]
    value, low, high = _mean(measured, lambda s: s.completeness_mae[key])
    return Measure(name, _on(measured), value, "", low, high, threshold, "at most")


def percentage_mae(slides: Sequence[SlideAgreement], truth: str) -> Measure:
    """Mean absolute error of the five percentages, over classes, then over slides."""
    value, low, high = _mean(slides, lambda s: s.class_mae(truth))
    name = "percentage per class, mean absolute error"
    name += ", against expressed truth" if truth == "expressed" else ", against shown truth"
    worst = max(s.class_mae(truth) for s in slides)
    threshold = 3.0 if truth == "expressed" else None
    detail = f"worst slide {worst:.1f}"
    return Measure(name, _on(slides), value, "points", low, high, threshold, "at most", detail)


def score_agreement(slides: Sequence[SlideAgreement], *, borderline: bool) -> Measure:
    """Share of the slides whose score is the true one; a refusal is no agreement."""
    equal = sum(s.score == s.true_score for s in slides)
    low, high = wilson_interval(equal, len(slides))
    name = "slide score equal to truth" + (", borderline slides" if borderline else "")
    wrong = [f"{s.true_score} read {s.score}" for s in slides if s.score != s.true_score]
    detail = f"{equal} of {len(slides)}" + (f"; {', '.join(sorted(wrong))}" if wrong else "")
    return Measure(
        name,
        _on(slides),
        100 * equal / len(slides),
        "%",
        100 * low,
        100 * high,
        80.0 if borderline else 97.0,
        detail=detail,
    )


def scored_too_high(slides: Sequence[SlideAgreement]) -> Measure:
    """Number of slides with stained cytoplasm that are scored above their truth; a refusal is right."""
    order = [score.value for score in IhcScore]
    high = [s for s in slides if s.score in order and order.index(s.score) > order.index(s.true_score)]
    refused = sum(s.score not in order for s in slides)
    detail = f"{refused} refused" + "".join(f"; {s.true_score} read {s.score}" for s in high)
    name = "slides with strongly stained cytoplasm scored above truth"
    return Measure(name, _on(slides), len(high), threshold=0.0, direction="at most", detail=detail)


def phantom_rows(slides: Sequence[SlideAgreement]) -> list[Measure]:
    """All rows that come from plain phantom slides of one method."""
    scored = [s for s in slides if s.group == "scored"]
    borderline = [s for s in slides if s.group == "borderline"]
    rows = []
    if scored:
        rows.append(detection_f1(scored))
        if any(s.completeness_mae for s in scored):
            rows += [completeness_mae(scored, key) for key in ("expressed", "shown", "stained")]
        rows += [percentage_mae(scored, truth) for truth in ("expressed", "shown")]
        rows.append(score_agreement(scored, borderline=False))
    if borderline:
        rows.append(score_agreement(borderline, borderline=True))
    if cytoplasm := [s for s in slides if s.group == "cytoplasm"]:
        rows.append(scored_too_high(cytoplasm))
    return rows


def _on(slides: Sequence[SlideAgreement]) -> str:
    return f"{len(slides)} phantom slides"


def _mean(
    slides: Sequence[SlideAgreement], value: Callable[[SlideAgreement], float]
) -> tuple[float, float, float]:
    def mean(chosen: Sequence[SlideAgreement]) -> float:
        return float(np.mean([value(s) for s in chosen]))

    return mean(slides), *drawn_interval(slides, mean)
