from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from her2path.domain.case import Assay, Controls, Specimen
from her2path.domain.ihc import IhcScore, Intensity, Pattern
from her2path.domain.ish import Probe
from her2path.domain.verdict import NotEvaluable
from her2path.errors import ArtefactError
from her2path.io.documents import (
    CallDoc,
    FishCountsDoc,
    FishCountsResult,
    IhcScoreDoc,
    IhcScoreResult,
    Producer,
    SheetFacts,
    SlideDoc,
    SlideResult,
    SourceFile,
    read_document,
    write_document,
)
from her2path.io.placeholders import write_not_evaluable
from her2path.steps.case_call import CaseCallParams, run

MAKER = Producer(step="test", version="0")
NO_TISSUE = NotEvaluable("no_tissue", "no tissue was found")
TWO_PLUS = {(Intensity.MODERATE, Pattern.COMPLETE): 400, (Intensity.NONE, Pattern.NONE): 600}
FAINT = {(Intensity.FAINT, Pattern.INCOMPLETE): 4, (Intensity.NONE, Pattern.NONE): 996}
GROUP_2 = [(3, 1)] * 14 + [(3, 2)] * 7
GROUP_1 = [(8, 2)] * 20
CELL = tuple[Intensity, Pattern]


@dataclass
class Case:
    """Writes the documents of a case's images and runs the step on them."""

    root: Path
    case_id: str = "c1"
    slides: list[Path] = field(default_factory=list)
    scores: list[Path] = field(default_factory=list)
    counts: list[Path] = field(default_factory=list)

    def _facts(self, image_id: str, assay: Assay, more: dict[str, object]) -> SheetFacts:
        known: dict[str, object] = {
            "case_id": self.case_id,
            "image_id": image_id,
            "assay": assay,
            "guideline": "breast_2018",
            "specimen": Specimen.RESECTION,
            "probe": Probe.DUAL,
            "area": "",
            "observer": 1,
            "controls": Controls.PASS,
        }
        return SheetFacts.model_validate(known | more)

    def _slide(self, facts: SheetFacts, sha256: str) -> Path:
        path = self.root / "images" / facts.image_id / "slide.json"
        result = SlideResult(
            files=(SourceFile(sha256=sha256 or facts.image_id, size_bytes=1, format="x"),),
            vendor="x",
            width_px0=9,
            height_px0=9,
            mpp=0.5,
            mpp_origin="vendor",
            level_downsamples=(1.0,),
        )
        write_document(path, SlideDoc(produced_by=MAKER, sheet=facts, result=result))
        self.slides.append(path)
        return path

    def lost(self, image_id: str, assay: Assay) -> None:
        facts = self._facts(image_id, assay, {})
        folder = self.root / "images" / image_id
        names = ("slide.json", "ihc_score.json" if assay is Assay.IHC else "fish_counts.json")
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            write_not_evaluable(folder / name, NO_TISSUE, producer=MAKER, facts=facts)
        self.slides.append(folder / names[0])
        (self.scores if assay is Assay.IHC else self.counts).append(folder / names[1])

    def ihc(
        self,
        image_id: str,
        cells: dict[CELL, int],
        *,
        blank_pct: float = 0.5,
        calibration: str = "cal/1",
        flags: tuple[str, ...] = (),
        sha256: str = "",
        **sheet: object,
    ) -> None:
        slide = self._slide(self._facts(image_id, Assay.IHC, sheet), sha256)
        tally: dict[Intensity, dict[Pattern, int]] = {}
        for (intensity, pattern), n in cells.items():
            tally.setdefault(intensity, {})[pattern] = n
        result = IhcScoreResult(
            tally=tally,
            scored_cells=sum(cells.values()),
            excluded_cells={"not_tumour": 7},
            percentages={},
            h_score=0.0,
            score=IhcScore.ZERO,  # of this image alone: the case is scored on the pooled tally
            rule_id="x",
            limit_of_blank_pct=blank_pct,
            calibration=calibration,
            tumour_selection="regions",
            selected_nuclei_pct=50.0,
            flags=flags,
        )
        path = slide.with_name("ihc_score.json")
        write_document(path, IhcScoreDoc(produced_by=MAKER, result=result))
        self.scores.append(path)

    def fish(
        self,
        image_id: str,
        nuclei: Sequence[tuple[int, int | None]],
        *,
        totals: tuple[int, int | None] | None = None,
        clusters: int = 2,
        weak: int = 0,
        cytoplasmic: int = 0,
        sha256: str = "",
        **sheet: object,
    ) -> None:
        facts = self._facts(image_id, Assay.FISH, sheet)
        slide = self._slide(facts, sha256)
        dual = facts.probe is Probe.DUAL
        sums = (sum(h for h, _ in nuclei), sum(c or 0 for _, c in nuclei) if dual else None)
        her2, cep17 = sums if totals is None else totals
        result = FishCountsResult(
            nuclei=tuple(nuclei),
            her2_signals=her2,
            cep17_signals=cep17,
            excluded_nuclei={"overlap": 3},
            nuclei_with_clusters=clusters,
            cytoplasmic_signals=cytoplasmic,
            weak_signals=weak,
        )
        path = slide.with_name("fish_counts.json")
        write_document(path, FishCountsDoc(produced_by=MAKER, sheet=facts, result=result))
        self.counts.append(path)

    def call(self) -> CallDoc:
        path = self.root / "cases" / self.case_id / "call.json"
        run(slide=self.slides, score=self.scores, counts=self.counts, call=path, params=CaseCallParams())
        return read_document(path, CallDoc)


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


def test_images_of_observer_two_are_the_recount(case):
    case.ihc("i1", TWO_PLUS)
    case.fish("f1", GROUP_2)
    assert case.call().state == "needs_recount"
    case.fish("f2", GROUP_2, observer=2)

    call = case.call()

    assert (call.state, call.recount["nuclei"], call.ish["nuclei"]) == ("negative", 21, 21)
    assert [comment.code for comment in call.comments] == ["G2"]


def test_a_recount_in_another_group_waits_for_adjudication(case):
    case.ihc("i1", TWO_PLUS)
    case.fish("f1", GROUP_2)
    case.fish("f2", GROUP_1, observer=2)

    assert case.call().state == "needs_adjudication"


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
