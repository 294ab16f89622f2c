"""Reasons why there is no result, in a few words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

REASON_TITLES: Mapping[str, str] = MappingProxyType(
    {
        "missing_file": "an image file is missing",
        "unreadable_image": "an image cannot be read",
        "no_pixel_size": "the pixel size is unknown",
        "dicom_source": "the DICOM files are not those of one whole slide",
        "unsuitable_image": "an image does not suit this test",
        "channels": "the channels cannot be told apart",
        "regions": "a region file cannot be used",
        "control_piece": "the control tissue cannot be told",
        "axes": "an image is a time series",
        "pixel_type": "an image has an unknown kind of pixels",
        "size_mismatch": "the files of an image do not fit together",
        "too_large": "an image is too large",
        "no_tissue": "no tissue was found",
        "no_measurement": "nothing was measured",
        "no_tumour_cells": "no tumour cell was found",
        "too_few_tumour_cells": "too few tumour cells",
        "not_bright_field": "the image is not bright-field",
        "not_ihc": "the image shows no IHC",
        "too_coarse": "the pixels are too coarse",
        "no_nuclei": "no nucleus was found",
        "bright_field": "the image is not fluorescence",
        "blank_field": "the field is blank",
        "defect": "her2path failed on an image",
        "recount_without_count": "a recount without a first count",
        "cytoplasmic_staining": "membranes cannot be told from stained cytoplasm",
        "duplicate_image": "the same image was given twice",
        "lossy_colours": "a colour capture was compressed with loss",
        "no_colour": "the image has no colours",
        "black": "the image is black",
        "no_light_place": "no place of the image is light",
        "all_brown": "the tissue is brown all over",
        "other_chromogen": "the stain is red, not brown",
        "implausible_stain": "the colours are not those of hematoxylin and DAB",
        "out_of_focus": "the tissue is out of focus",
        "faint_signals": "signals are too faint to be counted",
        "limit_of_blank": "the calibration cannot tell 0 from 1+",
        "specimen_not_stated": "the kind of specimen is not stated",
        "specimen_not_covered": "the guideline does not cover this kind of specimen",
        "cluster_not_stated": "the clusters of a biopsy are not stated",
        "extent_not_stated": "the extent of the staining is not stated",
        "count_not_readable": "the count cannot be read",
        "recount_nuclei_not_stated": "the size of the recount is not stated",
        "faulty": "the numbers are faulty",
        "count_too_large": "the count is too large to reckon with",
        "too_few_nuclei": "too few nuclei were counted",
        "one_area": "nuclei of fewer than two areas were counted",
        "nuclei_alike": "all counted nuclei are alike",
        "ratio_unbounded": "the ratio has no bounds",
        "too_little_tissue": "too little tissue was scored",
        "score_by_clusters": "the score rests on clusters",
    }
)
"""Short names of known reasons, for the large line of a page."""
