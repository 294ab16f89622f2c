from __future__ import annotations

from pathlib import Path

import pytest

from her2path.domain.case import Assay, Controls, Specimen, TumourSite
from her2path.domain.control_tissue import ControlVerdict
from her2path.domain.ihc import IhcScore, Intensity, Pattern
from her2path.domain.ish import Probe
from her2path.errors import ArtefactError
from her2path.io.control_entries import ControlEntry
from her2path.io.documents import SlideDoc, read_document
from her2path.io.model_entries import ModelEntry, ModelOrigin
from her2path.io.placeholders import write_not_evaluable
from tests.support.measured_case import MAKER, NO_TISSUE, Case

TWO_PLUS = {(Intensity.MODERATE, Pattern.COMPLETE): 400, (Intensity.NONE, Pattern.NONE): 600}
FAINT = {(Intensity.FAINT, Pattern.INCOMPLETE): 4, (Intensity.NONE, Pattern.NONE): 996}
GROUP_2 = [(3, 1)] * 14 + [(3, 2)] * 7
GROUP_1 = [(8, 2)] * 20


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def test_ihc_alone_is_called_with_its_trail_and_the_digests_of_its_sources(case):
    case.ihc("i1", TWO_PLUS)

    call = case.call()

    assert (call.status, call.state, call.ihc_score) == ("evaluated", "needs_ish", "2+")
    assert [entry.rule_id for entry in call.rule_trail] == ["IHC-2-COMPLETE", "CALL-IHC-2"]
    assert sorted(call.inputs) == ["i1/ihc_score", "i1/slide"]
    assert (call.case_id, call.guideline, call.images) == ("c1", "breast_2018", ("i1",))
    assert (call.ihc["scored_cells"], call.ihc["pct_complete_weak_moderate"]) == (1000, 40.0)
    assert (call.ihc["h_score"], call.ihc["limit_of_blank_pct"]) == (80.0, 0.5)
    assert call.ihc["tumour_selection"] == "regions"
    assert call.ish == {}


def test_images_of_one_slide_are_scored_on_the_sum_of_their_cells(case):
    none = {(Intensity.NONE, Pattern.NONE): 1000}
    case.ihc("i1", {(Intensity.FAINT, Pattern.INCOMPLETE): 210, (Intensity.NONE, Pattern.NONE): 790})
    case.ihc("i2", none, blank_pct=1.5)

    call = case.call()

    assert (call.ihc_score, call.ihc["pct_incomplete_faint"], call.ihc["images"]) == ("1+", 10.5, 2)
    assert call.ihc["limit_of_blank_pct"] == 1.0


def test_fields_of_one_count_are_summed_and_areas_counted_by_label(case):
    case.ihc("i1", TWO_PLUS)
    case.fish("f1", GROUP_1[:10], area="a")
    case.fish("f2", GROUP_1[10:], area="b")
    case.fish("f3", [(8, 2)] * 5, area="b")

    call = case.call()

    assert (call.state, call.ish_group) == ("positive", "1")
    found = (call.ish["nuclei"], call.ish["her2_signals"], call.ish["cep17_signals"], call.ish["areas"])
    assert found == (25, 200, 50, 2)
    assert (call.ish["nuclei_with_clusters"], call.ish["excluded_nuclei"]) == (6, 9)
    assert "areas_not_stated" not in call.flags


@pytest.mark.parametrize(
    ("areas", "state", "flagged"),
    [
        pytest.param(("", ""), "positive", True, id="no label"),
        pytest.param(("a", ""), "positive", True, id="one label, one unknown"),
        pytest.param(("a", "a"), "indeterminate", False, id="one area"),
        pytest.param(("a", "b"), "positive", False, id="two areas"),
        pytest.param(("a", "b", ""), "positive", False, id="two areas and an unknown one"),
    ],
)
def test_fewer_than_two_areas_reject_a_count_only_where_they_are_stated(case, areas, state, flagged):
    for number, area in enumerate(areas):
        case.fish(f"f{number}", GROUP_1, area=area)

    call = case.call()

    assert call.state == state
    assert ("areas_not_stated" in call.flags) is flagged


def test_a_scan_with_fields_in_two_areas_needs_no_second_image(case):
    case.fish("scan", GROUP_1, area="", areas_within=2)
    assert (case.call().ish["areas"], case.call().state) == (2, "positive")


@pytest.mark.parametrize(
    ("measured", "rule"),
    [
        pytest.param({"unresolved": (21, 40)}, "ISH-REJECT-NUCLEAR-RESOLUTION", id="nuclei out of focus"),
        pytest.param({"obscured": (11, 40)}, "ISH-REJECT-AUTOFLUORESCENCE", id="autofluorescence"),
    ],
)
def test_measured_quality_rejects_a_count_as_a_typed_one_would(case, measured, rule):
    case.fish("f1", GROUP_1, area="a", **measured)
    case.fish("f2", GROUP_1, area="b", unresolved=(0, 0), obscured=(0, 0))
    call = case.call()
    assert call.state == "indeterminate"
    assert rule in [step.rule_id for step in call.rule_trail]


def test_an_area_that_is_another_population_is_seen_over_all_fields(case):
    # Neither field is mixed by itself.
    case.fish("f1", [(2, 2)] * 12 + [(3, 2)] * 4 + [(1, 1)] * 8, area="a")
    case.fish("f2", [(16, 2), (18, 2), (15, 2), (14, 2), (20, 3), (17, 2)], area="b")
    assert "second_population_suggested" in case.call().flags


def test_a_homogeneous_count_suggests_no_second_population(case):
    case.fish("f1", GROUP_1, area="a")
    case.fish("f2", GROUP_1, area="b")
    assert "second_population_suggested" not in case.call().flags


@pytest.mark.parametrize("observer", [pytest.param(1, id="a field"), pytest.param(2, id="a recount")])
def test_an_image_given_twice_is_never_counted_twice(case, observer):
    case.ihc("i1", TWO_PLUS)
    case.fish("f1", GROUP_2, sha256="same")
    case.fish("f2", GROUP_2, sha256="same", observer=observer)

    call = case.call()

    assert (call.state, list(call.reasons)) == ("not_evaluable", ["f2"])
    assert call.reasons["f2"].code == "duplicate_image"
    assert "same file as image 'f1'" in call.reasons["f2"].reason


def test_two_regions_of_one_scan_are_two_images_and_flagged(case):
    case.fish("f1", GROUP_1, sha256="scan", area="a", has_tumour_roi=True)
    case.fish("f2", GROUP_1, sha256="scan", area="b", has_tumour_roi=True)

    call = case.call()

    assert (call.state, call.ish["nuclei"]) == ("positive", 40)
    assert "shared_file" in call.flags


def test_a_third_observer_is_not_used_and_said_so(case):
    case.fish("f1", GROUP_1)
    case.fish("f3", GROUP_2, observer=3)

    call = case.call()

    assert (call.state, call.recount) == ("positive", {})
    assert "extra_observer" in call.flags


def test_a_recount_without_a_first_count_is_not_evaluable(case):
    case.ihc("i1", TWO_PLUS)
    case.fish("f2", GROUP_2, observer=2)

    call = case.call()

    assert (call.status, list(call.reasons)) == ("not_evaluable", ["f2"])
    assert call.reasons["f2"].code == "recount_without_count"
    assert call.ihc["scored_cells"] == 1000


@pytest.mark.parametrize("lost", [Assay.IHC, Assay.FISH])
def test_an_image_that_failed_forbids_the_call_but_not_the_evidence(case, lost):
    case.ihc("i1", TWO_PLUS)
    case.fish("f1", GROUP_1)
    case.lost("x1", lost)

    call = case.call()

    assert (call.status, call.state) == ("not_evaluable", "not_evaluable")
    assert {name: why.code for name, why in call.reasons.items()} == {"x1": "no_tissue"}
    assert (call.ihc["scored_cells"], call.ish["nuclei"]) == (1000, 20)
    assert (call.ihc_score, call.ish_group, call.her2_category, call.rule_trail) == (None, None, None, ())


def test_a_score_that_failed_after_a_good_slide_forbids_the_call(case):
    case.ihc("i1", TWO_PLUS)
    facts = read_document(case.slides[0], SlideDoc).sheet
    write_not_evaluable(case.scores[0], NO_TISSUE, producer=MAKER, facts=facts)

    assert case.call().reasons["i1"].code == "no_tissue"


@pytest.mark.parametrize("cells", [{}, {(Intensity.STRONG, Pattern.COMPLETE): 3}])
def test_a_handful_of_cells_is_not_evaluable_for_every_ihc_image(case, cells):
    case.ihc("i1", cells)
    case.ihc("i2", {})
    case.fish("f1", GROUP_1)

    call = case.call()

    assert (call.state, sorted(call.reasons)) == ("not_evaluable", ["i1", "i2"])


@pytest.mark.parametrize(
    ("assays", "state"),
    [
        pytest.param({"ihc": Controls.FAIL}, "needs_ihc", id="IHC failed: group 2 waits for IHC"),
        pytest.param({"fish": Controls.FAIL}, "indeterminate", id="ISH failed under IHC 2+"),
    ],
)
def test_failed_controls_make_that_assay_indeterminate(case, assays, state):
    case.ihc("i1", TWO_PLUS, controls=assays.get("ihc", Controls.PASS))
    case.fish("f1", GROUP_2, controls=assays.get("fish", Controls.PASS))

    call = case.call()

    assert call.state == state
    assert any("controls did not pass" in entry.conclusion for entry in call.rule_trail)


def test_one_image_with_failed_controls_fails_its_assay(case):
    case.ihc("i1", FAINT)
    case.ihc("i2", FAINT, controls=Controls.FAIL)

    assert case.call().state == "indeterminate"


@pytest.mark.parametrize("metric", ["weak", "cytoplasmic"])
def test_rejection_metrics_are_summed_over_the_fields(case, metric):
    case.fish("f1", GROUP_1, area="a", **{metric: 60})
    case.fish("f2", GROUP_1, area="b", **{metric: 80})

    assert case.call().state == "indeterminate"


def test_a_single_probe_has_no_cep17(case):
    case.fish("f1", [(5, None)] * 20, probe=Probe.SINGLE)

    call = case.call()

    assert (call.state, call.ish_group, call.ish["probe"]) == ("needs_ihc", "equivocal", "single")
    assert "cep17_signals" not in call.ish


def test_flags_of_the_measurements_stay_and_those_of_the_call_are_found_anew(case):
    case.ihc("i1", TWO_PLUS, flags=("out_of_focus", "few_cells", "ihc_controls_unknown"))
    case.ihc("i2", FAINT, calibration="cal/2")

    assert list(case.call().flags) == ["calibrations_differ", "out_of_focus"]


@pytest.mark.parametrize(
    ("origin", "flags"),
    [
        pytest.param(ModelOrigin.SHIPPED, [], id="ships with her2path"),
        pytest.param(ModelOrigin.PROMOTED, ["model_promoted"], id="retrained and promoted"),
        pytest.param(ModelOrigin.FOLDER, ["model_not_promoted"], id="a folder that nobody promoted"),
    ],
)
def test_a_call_names_the_model_that_found_its_cells_and_who_vouches_for_it(case, origin, flags):
    model = ModelEntry(id="her2-own-1", sha256="0" * 64, origin=origin, parent="her2-star-2")
    case.ihc("i1", TWO_PLUS, model=model)
    case.ihc("i2", TWO_PLUS, model=model)

    call = case.call()

    assert call.models == (model,)
    assert [flag for flag in call.flags if flag.startswith("model")] == flags


def test_a_call_of_the_classical_method_names_no_model(case):
    case.ihc("i1", TWO_PLUS)

    assert case.call().models == ()


@pytest.mark.parametrize("clusters", [0, 2])
def test_copies_estimated_from_clusters_are_flagged(case, clusters):
    case.fish("f1", GROUP_1, clusters=clusters)

    assert ("clusters" in case.call().flags) is (clusters > 0)


def test_the_order_of_the_files_changes_no_byte(case):
    case.ihc("i1", TWO_PLUS)
    case.fish("f1", GROUP_1, area="a")
    case.fish("f2", GROUP_2, area="b")
    path = case.root / "cases" / "c1" / "call.json"
    case.call()
    before = path.read_bytes()

    case.slides.reverse()
    case.counts.reverse()
    case.call()

    assert path.read_bytes() == before


def _two_cases(case: Case) -> None:
    case.ihc("i1", FAINT)
    case.ihc("i2", FAINT, case_id="c2")


def _two_probes(case: Case) -> None:
    case.fish("f1", GROUP_1)
    case.fish("f2", [(5, None)] * 20, probe=Probe.SINGLE, observer=2)


def _no_score(case: Case) -> None:
    case.ihc("i1", FAINT)
    case.scores.clear()


def _no_slide(case: Case) -> None:
    case.ihc("i1", FAINT)
    case.ihc("i2", FAINT)
    case.slides.pop()


def _nothing(case: Case) -> None:
    case.slides.clear()


def _twice(case: Case) -> None:
    case.ihc("i1", FAINT)
    case.slides *= 2


def _wrong_folder(case: Case) -> None:
    case.ihc("i9", FAINT)
    moved = (case.root / "images" / "i9").rename(case.root / "images" / "i1")
    case.slides = [moved / "slide.json"]
    case.scores = [moved / "ihc_score.json"]


def _wrong_totals(case: Case) -> None:
    case.fish("f1", GROUP_1, totals=(160, 41))


def _no_colour(case: Case) -> None:
    case.fish("f1", [(4, None)] * 20, totals=(80, 0))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        pytest.param(_two_cases, "several cases", id="images of two cases"),
        pytest.param(_two_probes, "different probes", id="single and dual probe"),
        pytest.param(_no_score, "ihc_score.json.*missing for image 'i1'", id="no score"),
        pytest.param(_no_slide, "slide.json.*missing for i2", id="score without a slide"),
        pytest.param(_nothing, "no image", id="no image"),
        pytest.param(_twice, "given twice", id="an image twice"),
        pytest.param(_wrong_folder, "belongs to image 'i9'", id="folder of another image"),
        pytest.param(_wrong_totals, "do not sum to the totals", id="totals do not add up"),
        pytest.param(_no_colour, "CEP17 in every nucleus", id="dual probe without CEP17"),
    ],
)
def test_documents_that_contradict_each_other_are_refused(case, spoil, message):
    spoil(case)

    with pytest.raises(ArtefactError, match=message):
        case.call()
    assert not (case.root / "cases").exists()


def test_the_nuclei_of_all_fields_say_how_safe_and_how_mixed_the_count_is(case):
    case.fish("f1", [(9, 3)] * 6, area="a")
    case.fish("f2", [(3, 3)] * 14, area="b")

    call = case.call()

    assert call.stability is not None
    assert (call.stability.basis, call.stability.nuclei) == ("nuclei", 20)
    assert call.stability.finding == call.ish_group == "4"
    assert call.heterogeneity_2009 is not None
    assert (call.heterogeneity_2009.share_pct, call.heterogeneity_2009.heterogeneous) == (30.0, True)
    assert "heterogeneous_2009" in call.flags
    assert call.ish["pct_nuclei_ratio_at_least_2"] == 30.0


def test_a_single_probe_has_a_stability_but_no_share_of_amplified_nuclei(case):
    case.fish("f1", [(5, None), (7, None)] * 10, probe=Probe.SINGLE)

    call = case.call()

    assert call.stability is not None
    assert (call.stability.basis, call.stability.finding) == ("nuclei", "amplified")
    assert call.heterogeneity_2009 is None
    assert "pct_nuclei_ratio_at_least_2" not in call.ish


def test_further_nuclei_of_the_stomach_are_read_and_drawn_again_together_with_the_first(case):
    case.ihc("i1", TWO_PLUS, guideline="gastroesophageal_2016")
    case.fish("f1", [(5, 3), (5, 4)] * 10, guideline="gastroesophageal_2016")
    case.fish("f2", [(9, 4), (8, 3)] * 10, guideline="gastroesophageal_2016", observer=2)

    call = case.call()

    assert (call.state, call.ish_group) == ("positive", "amplified")
    assert call.stability is not None
    assert (call.stability.basis, call.stability.nuclei) == ("nuclei", 40)


@pytest.mark.parametrize(
    ("nuclei", "state"),
    [
        pytest.param([(4, 2)] * 10 + [(3, 2)] * 10, "positive", id="10 of 20, all together ratio 1.75"),
        pytest.param([(4, 2)] * 9 + [(31, 16)] * 11, "negative", id="9 of 20"),
    ],
)
def test_the_share_of_amplified_nuclei_is_what_heracles_reads(case, nuclei, state):
    heracles = "colorectal_heracles_2015"
    case.ihc("i1", {(Intensity.MODERATE, Pattern.COMPLETE): 600}, guideline=heracles)
    case.fish("f1", nuclei, guideline=heracles)

    call = case.call()

    assert call.state == state
    assert call.stability is not None
    assert [m.counted for m in call.stability.margin] == ["nuclei_ratio_at_least_2"]


@pytest.mark.parametrize(
    ("specimen", "state"),
    [
        pytest.param(Specimen.RESECTION, "negative", id="9 % of a resection"),
        pytest.param(Specimen.BIOPSY, "not_evaluable", id="a biopsy is asked for its clusters"),
    ],
)
def test_the_kind_of_specimen_reaches_the_guideline_that_asks_for_it(case, specimen, state):
    cells = {(Intensity.STRONG, Pattern.COMPLETE): 90, (Intensity.NONE, Pattern.NONE): 910}
    case.ihc("i1", cells, guideline="gastroesophageal_2016", specimen=specimen)

    call = case.call()

    assert (call.state, call.specimen.kind) == (state, specimen)


@pytest.mark.parametrize(
    ("hours", "minutes", "flags"),
    [
        pytest.param(72.0, 60.0, set(), id="on both limits"),
        pytest.param(72.1, 60.1, {"fixation_out_of_range", "cold_ischaemia_long"}, id="beyond both"),
        pytest.param(None, None, set(), id="not stated"),
    ],
)
def test_what_the_sheet_says_of_the_specimen_is_judged_and_written(case, hours, minutes, flags):
    case.ihc("i1", TWO_PLUS, fixation_hours=hours, cold_ischaemia_minutes=minutes)

    call = case.call()

    assert set(call.flags) & {"fixation_out_of_range", "cold_ischaemia_long"} == flags
    assert (call.specimen.fixation_hours, call.specimen.cold_ischaemia_minutes) == (hours, minutes)


def test_a_guideline_of_another_tumour_is_applied_as_asked_and_flagged(case):
    case.ihc("i1", TWO_PLUS, tumour_site=TumourSite.GASTROESOPHAGEAL)

    call = case.call()

    assert (call.state, call.specimen.site) == ("needs_ish", "gastroesophageal")
    assert "guideline_site" in call.flags


def test_images_that_disagree_on_the_specimen_are_not_of_one_case(case):
    case.ihc("i1", TWO_PLUS, fixation_hours=8.0)
    case.fish("f1", GROUP_1, fixation_hours=9.0)

    with pytest.raises(ArtefactError, match="several cases, guidelines or specimens"):
        case.call()


def test_a_lost_image_leaves_what_is_known_of_the_specimen(case):
    case.lost("x1", Assay.IHC)

    assert case.call().specimen.kind is Specimen.RESECTION


def test_the_call_says_what_other_versions_of_the_guideline_would_have_said(case):
    case.ihc("i1", {(Intensity.STRONG, Pattern.COMPLETE): 200, (Intensity.NONE, Pattern.NONE): 800})

    versions = {version.guideline: version for version in case.call().other_versions}

    assert "breast_2018" not in versions
    assert (versions["breast_2007"].state, versions["breast_2007"].differs) == ("needs_ish", True)
    assert (versions["breast_2023"].state, versions["breast_2023"].differs) == ("positive", False)


def control(verdict: ControlVerdict, *, score: str | None = "3+") -> ControlEntry:
    found = None if score is None else IhcScore(score)
    return ControlEntry(
        piece="left", expected="3+", score=found, cells=400, verdict=verdict, reason="as measured"
    )


@pytest.mark.parametrize("stated", list(Controls))
def test_control_tissue_that_fails_rejects_the_test_whatever_the_sheet_states(case, stated):
    case.ihc("i1", TWO_PLUS, controls=stated, control=(control(ControlVerdict.FAILED, score="1+"),))
    call = case.call()
    assert (call.state, call.ihc_score) == ("indeterminate", None)
    assert call.rule_trail[0].rule_id == "IHC-REJECT-CONTROLS"
    assert "control_tissue_failed" in call.flags
    assert ("control_tissue_contradicts_sheet" in call.flags) is (stated is Controls.PASS)


def test_accepted_control_tissue_stands_for_controls_that_the_sheet_does_not_state(case):
    case.ihc("i1", TWO_PLUS, controls=Controls.UNKNOWN, control=(control(ControlVerdict.ACCEPTED),))
    call = case.call()
    assert call.ihc_score == "2+"
    assert "controls_by_measurement" in call.flags
    assert "ihc_controls_unknown" not in call.flags


def test_controls_that_the_sheet_fails_stay_failed_beside_accepted_control_tissue(case):
    case.ihc("i1", TWO_PLUS, controls=Controls.FAIL, control=(control(ControlVerdict.ACCEPTED),))
    call = case.call()
    assert call.state == "indeterminate"
    assert "control_tissue_contradicts_sheet" in call.flags


@pytest.mark.parametrize(
    ("verdict", "flag"),
    [
        (ControlVerdict.DOUBTFUL, "control_tissue_doubtful"),
        (ControlVerdict.NOT_EVALUABLE, "control_tissue_not_evaluable"),
    ],
)
def test_control_tissue_in_doubt_neither_accepts_nor_fails(case, verdict, flag):
    case.ihc("i1", TWO_PLUS, controls=Controls.UNKNOWN, control=(control(verdict, score=None),))
    call = case.call()
    assert call.ihc_score == "2+"
    assert {flag, "ihc_controls_unknown"} <= set(call.flags)


def test_control_tissue_of_one_slide_does_not_speak_for_another_run(case):
    case.ihc("i1", TWO_PLUS, controls=Controls.UNKNOWN, control=(control(ControlVerdict.ACCEPTED),))
    case.ihc("i2", TWO_PLUS, controls=Controls.UNKNOWN)
    call = case.call()
    assert "ihc_controls_unknown" in call.flags
    assert "controls_by_measurement" not in call.flags
