"""What a report of a case is not: printed on the page, in the PDF and in what other systems take."""

from __future__ import annotations

LIMITS_OF_USE = (
    "Decision support for research and validation, not a diagnostic device: the pathologist signs.",
    "The software measures what the images show. It does not know the history or the histological type, "
    "nor check what the case sheet states of the specimen, its handling and the controls.",
    "Percentages and counts come from image analysis whose optical thresholds belong to the stated "
    "calibration; another scanner or stain needs its own.",
    "The category beside the call is an overlay of trials and labels, not a result of the guideline, and no "
    "advice on treatment.",
)
