"""Flags: what a person should know of a call that the call itself does not say."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Flag(StrEnum):
    """A remark on how a call came about; it never changes the call."""

    UNDEFINED_PATTERN = "undefined_pattern"
    POLICY = "policy"
    FOCAL_INTENSE = "focal_intense"
    INTENSE_WITHIN_BLANK = "intense_within_blank"
    STAINED_WITHIN_BLANK = "stained_within_blank"
    FEW_CELLS = "few_cells"
    SCORE_STATED = "score_stated"
    DISCORDANT = "discordant"
    AREAS_NOT_STATED = "areas_not_stated"
    NEAR_RATIO_CUT = "near_ratio_cut"
    CLUSTERS = "clusters"
    IHC_CONTROLS_UNKNOWN = "ihc_controls_unknown"
    ISH_CONTROLS_UNKNOWN = "ish_controls_unknown"
    IHC_INDETERMINATE = "ihc_indeterminate"
    ISH_INDETERMINATE = "ish_indeterminate"
    RECOUNT_DIFFERS = "recount_differs"
    RECOUNT_NOT_VALID = "recount_not_valid"
    RECOUNT_NOT_COMPARABLE = "recount_not_comparable"
    LOW_WITH_RATIO_AT_LEAST_2 = "low_with_ratio_at_least_2"
    CALIBRATIONS_DIFFER = "calibrations_differ"
    SHARED_FILE = "shared_file"
    EXTRA_OBSERVER = "extra_observer"
    GUIDELINE_SITE = "guideline_site"
    FIXATION_OUT_OF_RANGE = "fixation_out_of_range"
    COLD_ISCHAEMIA_LONG = "cold_ischaemia_long"
    RECOUNT_BLINDING_NOT_STATED = "recount_blinding_not_stated"
    RECOUNT_NUCLEI_NOT_STATED = "recount_nuclei_not_stated"
    RECOUNT_NUCLEI_REUSED = "recount_nuclei_reused"
    RECOUNT_EQUALS_PROGRAM = "recount_equals_program"
    RECOUNT_OF_OTHER_IMAGES = "recount_of_other_images"
    AUTOMATIC_RECOUNT = "automatic_recount"
    AUTOMATIC_RECOUNT_DIFFERS = "automatic_recount_differs"
    TOTALS_FROM_MEANS = "totals_from_means"
    MEANS_FIT_ANOTHER_GROUP = "means_fit_another_group"
    INCOMPLETE_INTENSITY_NOT_STATED = "incomplete_intensity_not_stated"
    GUIDELINE_BY_DEFAULT = "guideline_by_default"
    TWO_POPULATIONS = "two_populations"
    SECOND_POPULATION_SUGGESTED = "second_population_suggested"
    SECOND_POPULATION_SMALL = "second_population_small"
    SECOND_POPULATION_NOT_COUNTED = "second_population_not_counted"
    SECOND_POPULATION_NOT_READ = "second_population_not_read"
    SHARE_OF_OTHER_NUCLEI = "share_of_other_nuclei"
    HETEROGENEOUS_2009 = "heterogeneous_2009"
    SCORE_UNCERTAIN = "score_uncertain"
    CATEGORY_UNCERTAIN = "category_uncertain"
    TOO_LITTLE_TISSUE = "too_little_tissue"
    CONTROL_TISSUE_FAILED = "control_tissue_failed"
    CONTROL_TISSUE_DOUBTFUL = "control_tissue_doubtful"
    CONTROL_TISSUE_NOT_EVALUABLE = "control_tissue_not_evaluable"
    CONTROL_TISSUE_NOT_COMPARED = "control_tissue_not_compared"
    CONTROL_TISSUE_CONTRADICTS = "control_tissue_contradicts_sheet"
    CONTROLS_BY_MEASUREMENT = "controls_by_measurement"
    MODEL_PROMOTED = "model_promoted"
    MODEL_NOT_PROMOTED = "model_not_promoted"
    EDITED_BY_PERSON = "edited_by_person"
    EDITS_DO_NOT_FIT = "edits_do_not_fit"


FLAG_TEXT: Mapping[Flag, str] = MappingProxyType(
    {
        Flag.UNDEFINED_PATTERN: "The guideline defines no score for this staining pattern; a policy of "
        "her2path decided, and a pathologist must look.",
        Flag.POLICY: "The guideline is silent here; a named policy of her2path decided.",
        Flag.FOCAL_INTENSE: "Intense staining in a small part of the cells only: a small strong population; "
        "another block may read otherwise.",
        Flag.INTENSE_WITHIN_BLANK: "Some cells with intense staining were seen, but not more than the limit "
        "of blank explains, so they were not taken for a strong population; a pathologist must look.",
        Flag.STAINED_WITHIN_BLANK: "Some cells were read as stained, but not more than the limit of blank "
        "explains, so the score takes the tissue for unstained. A pathologist must look whether membranes of "
        "those cells stain: HER2-ultralow (in the breast) or 1+ (by other criteria) rests on it.",
        Flag.FEW_CELLS: "Fewer than 100 tumour cells were scored: the percentages are uncertain.",
        Flag.SCORE_STATED: "The IHC score was stated by a person; her2path saw no percentages.",
        Flag.DISCORDANT: "IHC and ISH contradict each other; review both slides and the histology.",
        Flag.AREAS_NOT_STATED: "The number of counted tumour areas was not stated; the guideline asks for "
        "two or more.",
        Flag.NEAR_RATIO_CUT: "The ratio lies between 1.8 and 2.2, where counting error alone can carry it "
        "across 2.0; count more nuclei.",
        Flag.CLUSTERS: "Some nuclei hold signal clusters, whose copies are estimates.",
        Flag.IHC_CONTROLS_UNKNOWN: "Whether the IHC controls passed was not stated; the score assumes it.",
        Flag.ISH_CONTROLS_UNKNOWN: "Whether the ISH controls passed was not stated; the count assumes it.",
        Flag.IHC_INDETERMINATE: "IHC was made but cannot be read; see the trail for the reason.",
        Flag.ISH_INDETERMINATE: "ISH was made but cannot be read; see the trail for the reason.",
        Flag.RECOUNT_DIFFERS: "The recount falls into another ISH group than the first count.",
        Flag.RECOUNT_NOT_VALID: "A recount was made but cannot be read; see the trail for the reason.",
        Flag.RECOUNT_NOT_COMPARABLE: "A recount was made, but the first count cannot be read, so nothing can "
        "be compared.",
        Flag.LOW_WITH_RATIO_AT_LEAST_2: "HER2-low with an ISH ratio of 2.0 or more (group 2): whether trials "
        "counted this as ISH negative is unclear.",
        Flag.CALIBRATIONS_DIFFER: "The IHC images of this case were measured with different calibrations.",
        Flag.SHARED_FILE: "Several images of this case are regions of one file; her2path does not check that "
        "the regions lie apart.",
        Flag.EXTRA_OBSERVER: "Counts of a third or further observer were given; the call does not use them.",
        Flag.GUIDELINE_SITE: "This guideline was made for another kind of tumour than the one that was "
        "stated; the operator chose it, and her2path applied it as asked.",
        Flag.FIXATION_OUT_OF_RANGE: "The time in formalin lies outside the guideline's range; a negative "
        "result may be an effect of the fixation.",
        Flag.COLD_ISCHAEMIA_LONG: "More than one hour passed before fixation; a negative result may be an "
        "effect of the delay.",
        Flag.RECOUNT_BLINDING_NOT_STATED: "It was not stated that another person, blinded to the first "
        "result, made the recount.",
        Flag.RECOUNT_NUCLEI_NOT_STATED: "How many nuclei the recount has was not stated; 20 or more were "
        "taken for granted.",
        Flag.RECOUNT_NUCLEI_REUSED: "Nuclei of the first count were among those that the second observer "
        "counted; other nuclei would tell more.",
        Flag.RECOUNT_EQUALS_PROGRAM: "In every nucleus the second observer's counts are exactly those of the "
        "program. Two counts hardly ever agree so far: make sure that a person made this one.",
        Flag.RECOUNT_OF_OTHER_IMAGES: "A read sheet was taken back for other images than those that the case "
        "has now; the call does not use it.",
        Flag.AUTOMATIC_RECOUNT: "The program counted the images of observer 2. That is a check beside the "
        "first count and no recount, which a second person makes; the call does not use it.",
        Flag.AUTOMATIC_RECOUNT_DIFFERS: "The program's count of the images of observer 2 falls into another "
        "ISH group than its first count. It decides nothing; a person must look at both.",
        Flag.TOTALS_FROM_MEANS: "The signals were worked out from means; whole totals are safer near a "
        "cut-point.",
        Flag.MEANS_FIT_ANOTHER_GROUP: "The typed means were taken as exact; as rounded numbers they would "
        "also fit whole signals of another ISH group. Give the totals.",
        Flag.INCOMPLETE_INTENSITY_NOT_STATED: "Whether the incomplete moderate to intense staining is "
        "moderate or strong was not stated; both lead to the same score here.",
        Flag.GUIDELINE_BY_DEFAULT: "Nobody named a guideline; the default for the breast was applied.",
        Flag.TWO_POPULATIONS: "Two tumour cell populations were counted apart (genetic heterogeneity); each "
        "has its own result, and the call of the case follows from both.",
        Flag.SECOND_POPULATION_SUGGESTED: "More than 10 % of the counted nuclei look like a second "
        "population with more HER2 signals. A person should look for it on the slide and count 20 nuclei in "
        "it; the call does not use it.",
        Flag.SECOND_POPULATION_SMALL: "A second population was seen in at most 10 % of the tumour cells, so "
        "it is not counted apart.",
        Flag.SECOND_POPULATION_NOT_COUNTED: "A second population of more than 10 % of the tumour cells was "
        "seen, but nobody counted it.",
        Flag.SECOND_POPULATION_NOT_READ: "A second population was stated, but the main count cannot be read, "
        "so neither is.",
        Flag.SHARE_OF_OTHER_NUCLEI: "The stated share of amplified nuclei is no whole number of the counted "
        "nuclei, so it was counted over others; it was taken as stated.",
        Flag.HETEROGENEOUS_2009: "Heterogeneous by the cell-level definition of 2009: more than 5 % but less "
        "than 50 % of the nuclei have a ratio above 2.2. It is an extra; a third of all cases meet it.",
        Flag.CONTROL_TISSUE_FAILED: "Control tissue on the slide does not have the score it should have, so "
        "the run failed (policy P23).",
        Flag.CONTROL_TISSUE_DOUBTFUL: "Control tissue on the slide scores beside the score it should have, "
        "within the uncertainty of its cells: neither accepted nor failed. A person must look at it.",
        Flag.CONTROL_TISSUE_NOT_EVALUABLE: "Control tissue on the slide could not be scored; it says nothing "
        "of the run.",
        Flag.CONTROL_TISSUE_NOT_COMPARED: "Control tissue on the slide was left out and scored on its own, "
        "but nobody stated which score it should have.",
        Flag.CONTROL_TISSUE_CONTRADICTS: "The case sheet and the control tissue on the slide contradict each "
        "other; the failure counts.",
        Flag.CONTROLS_BY_MEASUREMENT: "The case sheet does not say whether the IHC controls passed; all "
        "control tissue on the slide has the score it should have, and that was taken for a pass (policy "
        "P23).",
        Flag.SCORE_UNCERTAIN: "The score lies close to a cut: of samples of the same tissue more than one "
        "in ten would be given another score. Read the slide, or score more tissue.",
        Flag.CATEGORY_UNCERTAIN: "Whether any staining counts lies close to the limit of blank: of samples "
        "of the same tissue more than one in ten would change between null and ultralow.",
        Flag.TOO_LITTLE_TISSUE: "The scored cells lie on too little tissue to tell how certain the score is; "
        "its intervals take whole areas for single observations.",
        Flag.MODEL_PROMOTED: "The cells were found by a model that was retrained and promoted by its user, "
        "not by one that ships with her2path.",
        Flag.MODEL_NOT_PROMOTED: "The cells were found by a model that nobody has promoted: no guard set "
        "speaks for it. Its results are for research on the model alone.",
        Flag.EDITED_BY_PERSON: "A person edited the cells or regions of an IHC slide, and it was scored from "
        "them; the program's own score is stated beside it.",
        Flag.EDITS_DO_NOT_FIT: "A person's edits of an IHC slide were made on another file or on other cells "
        "than it has now; the score does not use them.",
    }
)
"""What each flag means, in a sentence."""
