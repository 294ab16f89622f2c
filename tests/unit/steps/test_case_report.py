from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

import cv2
import pytest

from her2path.domain.guideline.registry import GUIDELINES
from her2path.domain.verdict import NotEvaluable
from her2path.errors import ArtefactError
from her2path.imaging.ihc.overlay import SCORE_RGB
from her2path.io.call_entries import Comment
from her2path.io.documents import write_document
from her2path.io.files import sha256_of
from her2path.io.quality_entries import Finding
from her2path.steps import case_report
from her2path.steps.case_report import CaseReportParams
from tests.support.case_documents import (
    CLEAN,
    ONE_PLUS,
    THREE_PLUS,
    TWO_PLUS,
    ULTRALOW,
    Fish,
    Ihc,
    call_doc,
    nuclei,
    write_case,
)
from tests.support.pages import Page

NO_TISSUE = NotEvaluable("no_tissue", "image 'a1': no tissue was found; stain and scan it again")
CASES = {
    "negative": [Ihc("a1", ONE_PLUS)],
    "positive": [Ihc("a1", THREE_PLUS)],
    "needs_ish": [Ihc("a1", TWO_PLUS)],
    "needs_ihc": [Fish("f1", nuclei(40, 4.9, 3.0))],
    "needs_recount": [Ihc("a1", TWO_PLUS), Fish("f1", nuclei(40, 3.3, 1.3))],
    "needs_adjudication": [
        Ihc("a1", TWO_PLUS),
        Fish("f1", nuclei(40, 4.6, 3.0)),
        Fish("f2", nuclei(30, 3.4, 3.1), observer=2),
    ],
    "indeterminate": [Ihc("a1", TWO_PLUS), Fish("f1", nuclei(12, 4.9, 3.0))],
    "not_evaluable": [Ihc("a1", failed=NO_TISSUE)],
}


def html_of(root, *images, params=None):
    call, artefacts = write_case(root, "c1", *images)
    return render(root, call, artefacts, params)


def render(root, call, artefacts, params=None):
    report = root / "report.html"
    case_report.run(call=call, artefact=artefacts, report=report, params=params or CaseReportParams())
    return report.read_text(encoding="utf-8")


@pytest.mark.parametrize("state", CASES)
def test_each_state_gives_a_well_formed_page_that_begins_with_the_call(tmp_path, state):
    assert str(call_doc("c1", *CASES[state]).state) == state
    page = Page(html_of(tmp_path, *CASES[state]))
    assert re.search(r"Case c1 .{0,120}(HER2 |Pending: |Not evaluable: )", page.text)


@pytest.mark.parametrize("state", CASES)
def test_a_page_fetches_nothing_and_runs_nothing(tmp_path, state):
    html = html_of(tmp_path, *CASES[state])
    page = Page(html)
    linked = [a.get(name) for _, a in page.tags for name in ("src", "href", "srcset", "data") if a.get(name)]
    assert all(address.startswith(("data:image/", "#")) for address in linked)
    assert not {tag for tag, _ in page.tags} & {"script", "link", "iframe", "object", "base"}
    assert "url(" not in html
    assert "@import" not in html
    assert set(re.findall(r"https?://[^\s\"<]+", html)) <= {"http://www.w3.org/2000/svg"}
    assert "default-src 'none'" in html


@pytest.mark.parametrize("state", CASES)
def test_a_page_can_be_read_without_seeing_it(tmp_path, state):
    page = Page(html_of(tmp_path, *CASES[state]))
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all(attrs.get("alt") for tag, attrs in page.tags if tag == "img")
    assert all(attrs.get("scope") for tag, attrs in page.tags if tag == "th")
    names = [tag for tag, _ in page.tags]
    assert names.count("table") == names.count("caption")
    assert next(attrs for tag, attrs in page.tags if tag == "html")["lang"] == "en"
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    targets = [a["href"][1:] for tag, a in page.tags if tag == "a"]
    assert set(targets) <= set(ids)


def test_the_same_input_gives_the_same_bytes_whatever_the_order_of_the_files(tmp_path):
    call, artefacts = write_case(tmp_path, "c1", *CASES["needs_adjudication"])
    assert render(tmp_path, call, artefacts) == render(tmp_path, call, artefacts[::-1])


def test_a_page_names_no_folder(tmp_path):
    assert str(tmp_path) not in html_of(tmp_path, *CASES["needs_recount"])


def test_texts_of_documents_are_escaped(tmp_path):
    evil = "<script>alert('x')</script> & \"q\""
    images = [Ihc("a1", ONE_PLUS, findings=(Finding(code="odd", severity="warning", message=evil),))]
    call, artefacts = write_case(tmp_path, "c1", *images)
    document = call_doc("c1", *images)
    changes = {"comments": (Comment(code="<i>", text=evil),), "flags": ("<img src=x>",)}
    write_document(call, document.model_copy(update=changes))
    html = render(tmp_path, call, artefacts)
    assert "<script" not in html
    assert "<img src=x" not in html
    assert html.count("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;") == 2


def test_an_image_that_failed_shows_reason_and_remedy_in_the_place_of_its_result(tmp_path):
    no_dapi = NotEvaluable("channels", "no DAPI; fill in `channels`")
    html = html_of(tmp_path, Ihc("a1", THREE_PLUS), Fish("f1", failed=no_dapi))
    page = Page(html)
    assert "no DAPI; fill in <code>channels</code>" in html.split('id="ish"')[1]
    assert "These are measurements only: the case has no result." in page.text
    assert len([1 for tag, _ in page.tags if tag == "img"]) == 1  # the placeholder gallery is not shown


def test_a_case_of_which_nothing_could_be_measured_claims_no_measurement(tmp_path):
    text = Page(html_of(tmp_path, *CASES["not_evaluable"])).text
    assert "measurements only" not in text
    assert "No image could be examined." in text


def test_a_pending_case_says_who_acts_and_that_it_is_no_result(tmp_path):
    text = Page(html_of(tmp_path, *CASES["needs_ish"])).text
    assert "This is not a final HER2 result." in text
    wanted = GUIDELINES["breast_2023"].comments["ACT-ISH"].text
    assert f"Who acts next Laboratory {wanted}" in text
    assert "Cannot be told yet" in text


def test_the_overlay_category_stands_apart_with_its_basis(tmp_path):
    text = Page(html_of(tmp_path, Ihc("a1", ULTRALOW))).text
    assert "HER2 negative (IHC 0)" in text
    assert "not part of the guideline's call) HER2-ultralow Basis: DESTINY-Breast06" in text


def test_a_mandatory_comment_is_printed_as_one(tmp_path):
    text = Page(html_of(tmp_path, Ihc("a1", ONE_PLUS), Fish("f1", nuclei(40, 4.6, 3.0)))).text
    wanted = GUIDELINES["breast_2023"].comments["G4"].text
    assert f"Mandatory comment. {wanted}" in text


def test_numbers_of_the_measurement_and_their_intervals_are_printed(tmp_path):
    text = Page(html_of(tmp_path, Ihc("a1", TWO_PLUS))).text
    assert "Complete, weak to moderate 260 26.00 23.38 to 28.81" in text
    assert "H-score (0 to 300) 95.0" in text
    assert "Limit of blank of the measurement 0.50 %" in text
    assert "not tumour 5 120" in text


def test_an_interval_that_spans_the_cut_says_so(tmp_path):
    near = {"incomplete_faint": 105, "none": 895}
    assert "8.75 to 12.55 spans the cut of 10 %" in Page(html_of(tmp_path / "a", Ihc("a1", near))).text
    assert "spans the cut" not in html_of(tmp_path / "b", Ihc("a1", ULTRALOW))


def test_versions_parameters_and_digests_are_printed(tmp_path):
    call, artefacts = write_case(tmp_path, "c1", *CASES["needs_ish"])
    text = Page(render(tmp_path, call, artefacts)).text
    assert "target_mpp=0.5" in text
    assert "picture_side_px=2000" in text
    assert "tiff, 8 644 814 bytes, SHA-256 0123456789abcdef" in text
    assert "0.2500 µm (given in the case sheet)" in text
    assert sha256_of(call) in text


def test_a_step_that_writes_only_tables_states_its_parameters_too(tmp_path):
    text = Page(html_of(tmp_path, *CASES["needs_ihc"])).text
    assert "f1/fish_signals.parquet fish_signals 0.1.0 method=classical target_mpp=0.5" in text


def test_a_warning_about_quality_stands_before_a_note(tmp_path):
    note = Finding(code="n1", severity="info", message="default vectors")
    warning = Finding(code="w1", severity="warning", message="out of focus")
    text = Page(html_of(tmp_path, Ihc("a1", CLEAN, findings=(note, warning)))).text
    assert text.index("out of focus") < text.index("default vectors")


def test_a_flag_that_is_not_known_is_shown_as_it_is(tmp_path):
    call, artefacts = write_case(tmp_path, "c1", *CASES["negative"])
    write_document(call, call_doc("c1", *CASES["negative"]).model_copy(update={"flags": ("brand_new",)}))
    assert "<code>brand_new</code>" in render(tmp_path, call, artefacts)


def test_a_call_made_from_other_documents_is_not_shown_with_these(tmp_path):
    call, _ = write_case(tmp_path / "old", "c1", Ihc("a1", ONE_PLUS))
    _, artefacts = write_case(tmp_path / "new", "c1", Ihc("a1", TWO_PLUS))
    with pytest.raises(ArtefactError, match=r"another a1/ihc_score\.json"):
        render(tmp_path, call, artefacts)


def test_a_flag_names_the_image_that_raised_it_where_there_are_several(tmp_path):
    images = [Ihc("a1", ONE_PLUS, flags=("tumour_automatic",)), Fish("f1", nuclei(40, 2.2, 2.0))]
    text = Page(html_of(tmp_path, *images)).text
    assert "in-situ epithelium are not scored. tumour_automatic (image a1)" in text


def test_a_flag_of_a_measurement_that_the_whole_case_dismisses_is_not_shown(tmp_path):
    # The score of one image does not know whether the run's controls passed; the case does.
    assert "ihc_controls_unknown" not in html_of(
        tmp_path, Ihc("a1", ONE_PLUS, flags=("ihc_controls_unknown",))
    )


def test_the_legend_shows_the_colours_of_the_overlay(tmp_path):
    html = html_of(tmp_path, Ihc("a1", ONE_PLUS))
    shown = re.findall(r"background: #(\w{6})\"></span>(cell scored [^<]+|not scored)", html)
    assert [words for _, words in shown] == [
        "cell scored 3+",
        "cell scored 2+",
        "cell scored 1+",
        "cell scored 0",
        "not scored",
    ]
    assert [bytes.fromhex(rgb) for rgb, _ in shown[3::-1]] == [bytes(rgb) for rgb in SCORE_RGB]


def test_a_large_overlay_does_not_make_the_page_heavy(tmp_path):
    call, artefacts = write_case(tmp_path, "c1", replace(Ihc("a1", ONE_PLUS), overlay_side=2600))
    overlay = next(path for path in artefacts if path.name == "overlay.png")
    noise = cv2.randn(cv2.imread(str(overlay)), (128, 128, 128), (60, 60, 60))
    assert cv2.imwrite(str(overlay), noise)
    params = CaseReportParams(picture_side_px=1000)
    html = render(tmp_path, call, artefacts, params)
    assert overlay.stat().st_size > 8_000_000 > 2 * len(html)
    assert "data:image/jpeg" in html
    assert "shown smaller than the file" in html


def test_a_damaged_or_missing_picture_leaves_a_note_and_the_rest_of_the_page(tmp_path):
    call, artefacts = write_case(tmp_path, "c1", *CASES["needs_recount"])
    next(path for path in artefacts if path.name == "overlay.png").write_bytes(b"no picture")
    without_gallery = [path for path in artefacts if path.name != "gallery.png"]
    html = render(tmp_path, call, without_gallery)
    text = Page(html).text
    assert "Picture a1/overlay.png cannot be shown: not a readable PNG picture" in text
    assert "Picture f1/gallery.png is missing; run the case again to make it." in text
    assert "Pending: a recount is needed" in text
    assert 'href="#gaps"' in html


def test_a_page_of_a_single_probe_speaks_of_no_circles(tmp_path):
    single = html_of(tmp_path / "single", Fish("f1", [(5, None)] * 15 + [(6, None)] * 15))
    dual = html_of(tmp_path / "dual", Fish("f1", nuclei(40, 4.9, 3.0)))
    assert "Circles: counted nuclei" not in single
    assert "Circles: counted nuclei" in dual


def test_headings_of_a_count_skip_no_level(tmp_path):
    mixed = [(2, 2)] * 20 + [(1, 1)] * 8 + [(3, 2)] * 8 + [(16, 2)] * 6
    text = html_of(tmp_path, Fish("f1", mixed))
    assert "A second population? Somebody should look." in text
    levels = [int(level) for level in re.findall(r"<h([1-6])", text)]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert "<h4>A second population?" in text
