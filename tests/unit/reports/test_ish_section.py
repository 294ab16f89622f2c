from __future__ import annotations

import json

import pytest

from her2path.domain.verdict import NotEvaluable
from her2path.errors import ArtefactError
from her2path.io.documents import CallDoc, read_document
from her2path.reports.evidence import gather_images
from her2path.reports.ish_section import IshCuts, ish_counts
from tests.support.case_documents import Fish, nuclei, write_case

CUTS = IshCuts(ratio=(2.0,), copies=(4.0, 6.0))


def counts_of(root, *images):
    call, artefacts = write_case(root, "c1", *images)
    return ish_counts(gather_images(read_document(call, CallDoc), artefacts), {}, CUTS)


def test_fields_of_several_images_are_summed_to_one_count(tmp_path):
    (count,) = counts_of(tmp_path, Fish("f1", [(8, 2)] * 20), Fish("f2", [(4, 2)] * 20, area="A2"))
    assert [(row.name, row.remark, row.her2, row.ratio) for row in count.fields] == [
        ("f1", "A1", "160", "4.00"),
        ("f2", "A2", "80", "2.00"),
    ]
    assert (count.total.nuclei, count.total.her2, count.total.cep17) == ("40", "240", "80")
    assert (count.total.her2_mean, count.total.ratio) == ("6.00", "3.00")


def test_the_ratio_of_the_sum_is_not_the_mean_of_the_ratios(tmp_path):
    (count,) = counts_of(tmp_path, Fish("f1", [(10, 1)] * 10 + [(2, 2)] * 10))
    assert count.total.ratio == "4.00"  # 120 / 30, not (10 + 1) / 2


def test_nuclei_that_were_left_out_are_in_no_field(tmp_path):
    (count,) = counts_of(tmp_path, Fish("f1", [(3, 2)] * 30, fields=3))
    assert [(row.name, row.nuclei) for row in count.fields] == [
        ("f1 / F1", "10"),
        ("f1 / F2", "10"),
        ("f1 / F3", "10"),
    ]


def test_a_recount_stands_apart_from_the_first_count(tmp_path):
    first, second = counts_of(
        tmp_path, Fish("f1", nuclei(40, 7.2, 4.1)), Fish("f2", nuclei(25, 7.0, 4.1), observer=2)
    )
    assert (first.observer, second.observer) == (1, 2)
    assert (first.total.nuclei, second.total.nuclei) == ("40", "25")


def test_a_ratio_just_below_the_cut_is_not_printed_as_the_cut(tmp_path):
    (count,) = counts_of(tmp_path, Fish("f1", [(4, 2)] * 499 + [(3, 2)]))
    assert count.total.ratio == "1.999"


def test_a_third_observer_is_shown_as_not_part_of_the_call(tmp_path):
    *_, third = counts_of(tmp_path, *(Fish(f"f{n}", [(3, 2)] * 30, observer=n) for n in (1, 2, 3)))
    assert third.title == "Further count by observer 3, not part of the call"


def test_a_single_probe_has_no_ratio_and_no_scatter(tmp_path):
    (count,) = counts_of(tmp_path, Fish("f1", [(5, None)] * 30))
    assert (count.total.cep17, count.total.ratio) == ("–", "–")
    assert len(count.figures) == 1


def test_an_image_that_failed_shows_its_reason_and_counts_nothing(tmp_path):
    why = NotEvaluable("channels", "no DAPI; name the channels")
    (count,) = counts_of(tmp_path, Fish("f1", failed=why))
    assert count.total is None
    assert count.images[0].reason.reason == why.reason


def test_totals_that_are_not_the_sums_of_their_nuclei_are_refused(tmp_path):
    call, artefacts = write_case(tmp_path, "c1", Fish("f1", [(3, 2)] * 30))
    counts = next(path for path in artefacts if path.name == "fish_counts.json")
    data = json.loads(counts.read_text())
    data["result"]["her2_signals"] += 1
    counts.write_text(json.dumps(data))
    with pytest.raises(ArtefactError, match=r"f1/fish_counts\.json"):
        ish_counts(gather_images(read_document(call, CallDoc), artefacts), {}, CUTS)


def test_a_table_that_differs_from_the_document_is_refused(tmp_path):
    call, artefacts = write_case(tmp_path / "a", "c1", Fish("f1", [(3, 2)] * 30))
    _, others = write_case(tmp_path / "b", "c1", Fish("f1", [(4, 2)] * 30))
    mixed = [p for p in artefacts if p.suffix != ".parquet"] + [p for p in others if p.suffix == ".parquet"]
    with pytest.raises(ArtefactError, match=r"fish_nuclei\.parquet"):
        ish_counts(gather_images(read_document(call, CallDoc), mixed), {}, CUTS)


def test_nuclei_that_look_like_a_second_population_are_squares_in_the_plot(tmp_path):
    mixed = [(2, 2)] * 20 + [(1, 1)] * 8 + [(3, 2)] * 8 + [(16, 2)] * 6
    (count,) = counts_of(tmp_path, Fish("f1", mixed))
    scatter = str(count.figures[0])
    assert scatter.count("<rect") == 1
    assert "6 nuclei: 16 HER2, 2 CEP17" in scatter
    assert count.findings.second.share.startswith("6 of 42")


def test_a_homogeneous_count_has_circles_only(tmp_path):
    (count,) = counts_of(tmp_path, Fish("f1", nuclei(40, 7.2, 2.1)))
    assert "<rect" not in str(count.figures[0])
    assert count.findings.second is None


def test_both_colours_have_a_histogram(tmp_path):
    (count,) = counts_of(tmp_path, Fish("f1", nuclei(40, 7.2, 2.1)))
    assert [("CEP17 signals per nucleus</title>" in str(figure)) for figure in count.figures[1:]] == [
        False,
        True,
    ]
