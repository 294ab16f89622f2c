"""What forbids to read a test, by each guideline and on the edge of each criterion."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from her2path.domain.case import Controls, Specimen, SpecimenFacts
from her2path.domain.guideline.registry import GUIDELINES
from her2path.domain.guideline.rules import holding
from her2path.domain.ihc import IhcReading, IhcTally, Intensity, Pattern, Reactivity, TallyUnit
from her2path.domain.ish import IshReading, SignalSummary

EVERY = pytest.mark.parametrize("guideline", GUIDELINES.values(), ids=lambda g: g.id)
COUNT = ["CONTROLS", "NUCLEI", "NO-HER2", "NO-CEP17", "WEAK", "CYTOPLASM", "NUCLEAR-RESOLUTION"]
COUNT = [f"ISH-REJECT-{name}" for name in (*COUNT, "AUTOFLUORESCENCE")]
AREAS, DUAL_ONLY, SHARE = "ISH-REJECT-AREAS", "ISH-REJECT-SINGLE-PROBE", "ISH-REJECT-NO-SHARE"
WHO = ["RECOUNT-REJECT-OBSERVER", "RECOUNT-REJECT-NOT-BLINDED"]
CELLS = ["IHC-NO-CELLS", "IHC-TOO-FEW-CELLS", "IHC-LIMIT-OF-BLANK"]
SPECIMEN = ["IHC-SPECIMEN-NOT-STATED", "IHC-SPECIMEN-NOT-COVERED"]
CLUSTER = "IHC-CLUSTER-NOT-STATED"
STOMACH = ("gastroesophageal_2016", "pantumour_tdxd_2024", "biliary_zanidatamab_2024")
SINGLE_PROBE = tuple(f"breast_{year}" for year in (2007, 2013, 2015, 2018, 2023))


def ids(rules) -> list[str]:
    return [rule.id for rule in rules]


@EVERY
def test_each_guideline_rejects_for_its_own_reasons(guideline):
    name = guideline.id
    own = [] if name in SINGLE_PROBE else [DUAL_ONLY]
    own += [SHARE] if name == "colorectal_heracles_2015" else []

    assert ids(guideline.ihc_rejections) == [f"IHC-REJECT-{n}" for n in ("CONTROLS", "ARTEFACT", "DUCTS")]
    assert ids(guideline.ish_rejections) == [*COUNT, AREAS, *own]
    # Only the breast guidelines since 2018 say who recounts; a recount looks at one area.
    who = WHO if name in ("breast_2018", "breast_2023") else []
    assert ids(guideline.recount_rejections) == [*COUNT, *who, *own]


@EVERY
def test_each_guideline_asks_for_what_its_scores_hang_on(guideline):
    own = SPECIMEN if guideline.id in (*STOMACH, "colorectal_harmonised_2019") else []
    own = [*own, CLUSTER] if guideline.id in STOMACH else own

    assert ids(guideline.unreadable) == [*CELLS, *own]


@EVERY
def test_a_ratio_band_and_an_unstated_observer_are_flagged_where_they_mean_something(guideline):
    flags = [] if guideline.id == "colorectal_heracles_2015" else ["ISH-FLAG-NEAR-RATIO-CUT"]
    flags += ["ISH-FLAG-COPIES"] if guideline.id == "endometrial_serous_2022" else []
    asks = guideline.id in ("breast_2018", "breast_2023")

    assert ids(guideline.ish_flags) == flags
    assert ids(guideline.recount_flags) == (["RECOUNT-FLAG-BLINDING"] if asks else [])


def count(nuclei: int = 20, her2: int = 140, cep17: int | None = 40, **more: object) -> IshReading:
    sound = {"areas": 2, "controls": Controls.PASS, "share_ratio_at_least_2": Fraction(1)}
    return IshReading(SignalSummary(nuclei, her2, cep17), **sound | more)


ISH_EDGES = [
    # rule, a count that it rejects, the nearest one that it does not
    ("ISH-REJECT-CONTROLS", count(controls=Controls.FAIL), count(controls=Controls.UNKNOWN)),
    ("ISH-REJECT-NUCLEI", count(19), count(20)),
    ("ISH-REJECT-NO-HER2", count(her2=0), count(her2=1)),
    ("ISH-REJECT-NO-HER2", count(her2=0, cep17=None), count(19, her2=0, cep17=None)),
    ("ISH-REJECT-NO-CEP17", count(cep17=0), count(cep17=1)),
    ("ISH-REJECT-NO-CEP17", count(cep17=0), count(19, cep17=0)),
    ("ISH-REJECT-NO-CEP17", count(cep17=0), count(cep17=None)),
    ("ISH-REJECT-WEAK", count(weak_signals=61), count(weak_signals=60)),
    ("ISH-REJECT-WEAK", count(weak_signals=61), count()),
    ("ISH-REJECT-CYTOPLASM", count(cytoplasmic_signals=21), count(cytoplasmic_signals=20)),
    ("ISH-REJECT-CYTOPLASM", count(cytoplasmic_signals=21), count()),
    ("ISH-REJECT-NUCLEAR-RESOLUTION", count(poor_nuclei=True), count(poor_nuclei=False)),
    ("ISH-REJECT-AUTOFLUORESCENCE", count(autofluorescence=True), count(autofluorescence=False)),
    ("ISH-REJECT-AREAS", count(areas=1), count(areas=2)),
    ("ISH-REJECT-AREAS", count(areas=0), count(areas=None)),
    ("RECOUNT-REJECT-OBSERVER", count(other_observer=False), count(other_observer=True)),
    ("RECOUNT-REJECT-OBSERVER", count(other_observer=False), count(other_observer=None)),
    ("RECOUNT-REJECT-NOT-BLINDED", count(blinded=False), count(blinded=True)),
    ("RECOUNT-REJECT-NOT-BLINDED", count(blinded=False), count(blinded=None)),
    ("ISH-REJECT-SINGLE-PROBE", count(cep17=None), count()),
    ("ISH-REJECT-NO-SHARE", count(share_ratio_at_least_2=None), count(share_ratio_at_least_2=Fraction(0))),
    ("ISH-FLAG-NEAR-RATIO-CUT", count(her2=90, cep17=50), count(her2=89, cep17=50)),
    ("ISH-FLAG-NEAR-RATIO-CUT", count(her2=110, cep17=50), count(her2=111, cep17=50)),
    ("ISH-FLAG-NEAR-RATIO-CUT", count(her2=100, cep17=50), count(her2=100, cep17=None)),
    ("RECOUNT-FLAG-BLINDING", count(blinded=True), count(blinded=True, other_observer=True)),
    ("RECOUNT-FLAG-BLINDING", count(other_observer=True), count(blinded=False, other_observer=False)),
    ("ISH-FLAG-COPIES", count(her2=120, cep17=61), count(her2=120, cep17=60)),
    ("ISH-FLAG-COPIES", count(her2=120, cep17=61), count(her2=119, cep17=61)),
]


def ish_rules(guideline) -> tuple[object, ...]:
    flags = (*guideline.ish_flags, *guideline.recount_flags)
    return (*guideline.ish_rejections, *guideline.recount_rejections, *flags)


@pytest.mark.parametrize(("rule_id", "caught", "spared"), ISH_EDGES)
def test_a_count_on_the_edge_of_each_criterion(rule_id, caught, spared):
    rules = {rule for g in GUIDELINES.values() for rule in ish_rules(g) if rule.id == rule_id}

    assert rules
    for rule in rules:
        assert rule.when(caught) is True
        assert rule.when(spared) is False


def test_every_criterion_on_a_count_has_its_edge():
    assert {rule.id for g in GUIDELINES.values() for rule in ish_rules(g)} == {e[0] for e in ISH_EDGES}


@pytest.mark.parametrize(
    ("rule_id", "flag"),
    [
        ("ISH-FLAG-NEAR-RATIO-CUT", "near_ratio_cut"),
        ("RECOUNT-FLAG-BLINDING", "recount_blinding_not_stated"),
        ("ISH-FLAG-COPIES", "discordant"),
    ],
)
def test_a_flag_of_a_count_is_the_one_that_its_rule_names(rule_id, flag):
    flags = {r.then for g in GUIDELINES.values() for r in (*g.ish_flags, *g.recount_flags) if r.id == rule_id}

    assert flags == {flag}


def test_a_sound_count_is_rejected_by_nobody():
    for guideline in GUIDELINES.values():
        assert not holding(count(), guideline.ish_rejections)
        assert not holding(count(), guideline.recount_rejections)


STRONG, FAINT = (Intensity.STRONG, Pattern.COMPLETE), (Intensity.FAINT, Pattern.INCOMPLETE)
MODERATE, NONE = (Intensity.MODERATE, Pattern.BASOLATERAL), (Intensity.NONE, Pattern.NONE)
SOUND = IhcReading(IhcTally({STRONG: 5, NONE: 15}), controls=Controls.PASS, specimen=Specimen.RESECTION)


def cells(n: int, **more: object) -> IhcReading:
    return replace(SOUND, tally=IhcTally({NONE: n}), **more)


def biopsy(tally: dict, clusters: tuple[int | None, int | None, int | None] | None) -> IhcReading:
    known = None
    if clusters is not None:
        known = {level: n for level, n in zip(Reactivity, clusters, strict=False) if n is not None}
    return replace(SOUND, tally=IhcTally({NONE: 50, **tally}), specimen=Specimen.BIOPSY, clusters=known)


MIXED = {STRONG: 3, MODERATE: 9, FAINT: 9}
IHC_EDGES = [
    (
        "IHC-REJECT-CONTROLS",
        replace(SOUND, controls=Controls.FAIL),
        replace(SOUND, controls=Controls.UNKNOWN),
    ),
    (
        "IHC-REJECT-ARTEFACT",
        replace(SOUND, artefact_over_most=True),
        replace(SOUND, artefact_over_most=False),
    ),
    ("IHC-REJECT-ARTEFACT", replace(SOUND, artefact_over_most=True), SOUND),
    (
        "IHC-REJECT-DUCTS",
        replace(SOUND, normal_ducts_stained=True),
        replace(SOUND, normal_ducts_stained=False),
    ),
    ("IHC-REJECT-DUCTS", replace(SOUND, normal_ducts_stained=True), SOUND),
    ("IHC-NO-CELLS", cells(0), cells(1)),
    ("IHC-NO-CELLS", cells(0, unit=TallyUnit.SHARES), cells(1, unit=TallyUnit.SHARES)),
    ("IHC-TOO-FEW-CELLS", cells(19), cells(20)),
    ("IHC-TOO-FEW-CELLS", cells(1), cells(0)),
    ("IHC-TOO-FEW-CELLS", cells(19), cells(19, unit=TallyUnit.SHARES)),
    (
        "IHC-LIMIT-OF-BLANK",
        replace(SOUND, limit_of_blank=Fraction(1, 10)),
        replace(SOUND, limit_of_blank=Fraction(999, 10_000)),
    ),
    ("IHC-SPECIMEN-NOT-STATED", replace(SOUND, specimen=None), SOUND),
    ("IHC-SPECIMEN-NOT-COVERED", replace(SOUND, specimen=Specimen.CYTOLOGY), SOUND),
    ("IHC-SPECIMEN-NOT-COVERED", replace(SOUND, specimen=Specimen.CYTOLOGY), replace(SOUND, specimen=None)),
    (CLUSTER, biopsy({FAINT: 1}, None), biopsy({}, None)),
    (CLUSTER, biopsy({FAINT: 1}, None), biopsy({FAINT: 1}, (None, None, 4))),
    (CLUSTER, biopsy({FAINT: 1}, (None, None, None)), replace(biopsy({FAINT: 1}, None), specimen=None)),
    (CLUSTER, biopsy(MIXED, (None, 4, 9)), biopsy(MIXED, (5, None, None))),
    (CLUSTER, biopsy(MIXED, (4, None, None)), biopsy(MIXED, (4, 5, None))),
    (CLUSTER, biopsy(MIXED, (4, 4, None)), biopsy(MIXED, (4, 4, 4))),
    (CLUSTER, biopsy(MIXED, (None, None, 4)), biopsy(MIXED, (3, 4, 9))),
    (CLUSTER, biopsy({MODERATE: 9}, (None, None, 9)), biopsy({MODERATE: 9}, (None, 5, None))),
]


def ihc_rules(guideline) -> tuple[object, ...]:
    return (*guideline.ihc_rejections, *guideline.unreadable)


@pytest.mark.parametrize(("rule_id", "caught", "spared"), IHC_EDGES)
def test_a_stain_on_the_edge_of_each_criterion(rule_id, caught, spared):
    rules = [rule for g in GUIDELINES.values() for rule in ihc_rules(g) if rule.id == rule_id]

    assert rules
    for rule in rules:
        assert rule.when(caught) is True
        assert rule.when(spared) is False


def test_every_criterion_on_a_stain_has_its_edge():
    assert {rule.id for g in GUIDELINES.values() for rule in ihc_rules(g)} == {e[0] for e in IHC_EDGES}


@pytest.mark.parametrize(
    ("rule_id", "code"),
    [
        ("IHC-NO-CELLS", "no_tumour_cells"),
        ("IHC-TOO-FEW-CELLS", "too_few_tumour_cells"),
        ("IHC-LIMIT-OF-BLANK", "limit_of_blank"),
        ("IHC-SPECIMEN-NOT-STATED", "specimen_not_stated"),
        ("IHC-SPECIMEN-NOT-COVERED", "specimen_not_covered"),
        (CLUSTER, "cluster_not_stated"),
    ],
)
def test_what_cannot_be_read_says_so_by_its_code(rule_id, code):
    found = {r.then.code for g in GUIDELINES.values() for r in g.unreadable if r.id == rule_id}

    assert found == {code}


@EVERY
def test_hours_in_formalin_and_minutes_before_it_have_two_edges_and_one(guideline):
    shortest, longest = 6, 48 if guideline.id == "breast_2007" else 72

    def flags(**facts: Fraction | None) -> list[str]:
        return [str(rule.then) for rule in holding(SpecimenFacts(**facts), guideline.specimen)]

    for hours in (shortest, longest):
        assert flags(fixation_hours=Fraction(hours)) == []
    for hours in (shortest - Fraction(1, 60), longest + Fraction(1, 60)):
        assert flags(fixation_hours=hours) == ["fixation_out_of_range"]
    assert flags(cold_ischaemia_minutes=Fraction(60)) == []
    assert flags(cold_ischaemia_minutes=60 + Fraction(1, 60)) == ["cold_ischaemia_long"]
    assert flags() == []
