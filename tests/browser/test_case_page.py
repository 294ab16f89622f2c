"""The page of a case with its zoomable slide, in a real browser."""

from __future__ import annotations

import re

import pytest

from her2path.steps import case_report
from her2path.steps.case_report import CaseReportParams
from tests.support.browser import PHONE
from tests.support.viewed_case import write_viewed_case

CANVAS, STATUS = ".slide-canvas", ".slide-status"
DARKEST = """(canvas) => {
  const {width, height} = canvas, data = canvas.getContext('2d').getImageData(0, 0, width, height).data;
  let sum = 0;
  for (let i = 0; i < data.length; i += 4 * 97) sum += data[i] + 3 * data[i + 1] + 7 * data[i + 2];
  return sum;
}"""


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    root = tmp_path_factory.mktemp("case")
    call, artefacts = write_viewed_case(root, cells=1200, size_px0=(900, 700), most_px=250_000)
    path = root / "report.html"
    case_report.run(call=call, artefact=artefacts, report=path, params=CaseReportParams())
    return path


@pytest.fixture
def slide(visit, report):
    return opened(visit(report))


def opened(page):
    page.page.locator(".slide").scroll_into_view_if_needed()
    page.page.wait_for_selector(".slide[data-ready]")
    page.page.wait_for_function("() => document.querySelector('.slide-status').textContent")
    return page


def told(page):
    page.page.wait_for_timeout(320)  # the words follow when the view rests
    return page.page.locator(STATUS).inner_text()


def um_per_pixel(page):
    return float(re.search(r"([\d.]+) µm per pixel", told(page))[1])


def picture(page):
    page.settle()
    return page.page.locator(CANVAS).evaluate(DARKEST)


def test_the_slide_opens_whole_and_says_what_is_in_view(slide):
    slide.shot("case-slide-whole")
    assert "In view: 1 080 scored cells (3+: " in told(slide).replace("\u202f", " ")
    assert slide.sideways() == 0


def test_buttons_keys_and_wheel_zoom_and_move(slide):
    page, whole = slide.page, um_per_pixel(slide)
    page.get_by_role("button", name="Zoom in").click()
    assert um_per_pixel(slide) < whole
    page.locator(CANVAS).focus()
    page.keyboard.press("+")
    nearer = um_per_pixel(slide)
    assert nearer < whole / 2
    before = told(slide)
    page.keyboard.press("ArrowRight")
    assert told(slide) != before
    page.locator(CANVAS).hover()
    page.mouse.wheel(0, -400)
    assert um_per_pixel(slide) < nearer
    page.keyboard.press("0")
    assert um_per_pixel(slide) == whole
    page.get_by_role("button", name="As scanned, 1 to 1").click()
    assert um_per_pixel(slide) == 0.25


def test_the_wheel_scrolls_the_page_until_the_slide_is_chosen(slide):
    page, whole = slide.page, um_per_pixel(slide)
    page.locator(CANVAS).hover()
    page.mouse.wheel(0, 120)
    assert um_per_pixel(slide) == whole
    assert page.locator(".slide-hint").is_visible()


def test_dragging_moves_the_slide(slide):
    slide.page.locator(CANVAS).press("+")
    before, box = told(slide), slide.page.locator(CANVAS).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    slide.page.mouse.move(x, y)
    slide.page.mouse.down()
    slide.page.mouse.move(x - 80, y - 40)
    slide.page.mouse.up()
    assert told(slide) != before


def test_a_click_tells_the_class_and_the_place_of_a_cell(slide):
    slide.page.get_by_role("button", name="Go to hot spot 1").click()
    before = told(slide)
    slide.page.locator(CANVAS).click()
    slide.shot("case-slide-click")
    words = told(slide)
    found = re.match(r"Cell at (\d+), (\d+) px of the slide: (3\+|2\+|1\+|0|not scored)\. ", words)
    assert found, words
    # The middle of the hot spot is at (300, 260) px; cells lie closer together than 30 px.
    assert abs(int(found[1]) - 300) < 30
    assert abs(int(found[2]) - 260) < 30
    assert before.removeprefix("Hot spot 1. ") in words


def test_hot_spots_are_jumps_and_are_shown_as_scanned(slide):
    slide.page.get_by_role("button", name="Go to hot spot 2").click()
    words = told(slide)
    slide.shot("case-slide-spot")
    assert words.startswith("Hot spot 2.")
    assert "Middle: 163, 113 µm" in words  # (450 + 200, 250 + 200) px of 0.25 µm
    slide.page.locator(CANVAS).press("1")
    assert "Middle: 75, 65 µm" in told(slide)


def test_each_layer_can_be_switched_off_and_on_again(slide):
    full = picture(slide)
    for name in ("3+ (Tumor: 3+)", "0 (Tumor: Negative)", "hot spots", "outline of the tissue"):
        box = slide.page.get_by_role("checkbox", name=name)
        box.uncheck()
        assert picture(slide) != full, name
        box.check()
        assert picture(slide) == full, name
    slide.page.get_by_label("not scored (Ignore*)").check()
    assert picture(slide) != full


def test_one_key_hides_all_layers_so_that_the_membranes_can_be_seen(slide):
    full = picture(slide)
    slide.page.locator(CANVAS).press("h")
    bare = picture(slide)
    assert bare != full
    button = slide.page.get_by_role("button", name="Hide all layers")
    assert button.get_attribute("aria-pressed") == "true"
    button.click()
    assert picture(slide) == full


def test_the_keyboard_comes_to_the_slide_and_leaves_it(slide):
    slide.page.locator(CANVAS).focus()
    assert slide.focused().startswith("Slide a1. Arrow keys move")
    slide.page.keyboard.press("Tab")
    assert "3+" in slide.focused()


def test_axe_finds_nothing_serious(slide):
    assert slide.serious_findings() == []


def test_a_phone_shows_the_slide_without_scrolling_sideways(visit, report):
    page = opened(visit(report, size=PHONE, has_touch=True))
    page.shot("case-slide-phone")
    assert page.sideways() == 0


def test_a_finger_scrolls_the_page_past_the_slide_until_a_tap_takes_it(visit, report):
    page = opened(visit(report, size=PHONE, has_touch=True)).page
    canvas = page.locator(CANVAS)
    fingers = page.context.new_cdp_session(page)

    def swiped():
        box, before = canvas.bounding_box(), page.evaluate("scrollY")
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        touch = "Input.dispatchTouchEvent"
        fingers.send(touch, {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
        for step in range(20, 160, 20):
            fingers.send(touch, {"type": "touchMove", "touchPoints": [{"x": x, "y": y - step}]})
            page.wait_for_timeout(16)
        fingers.send(touch, {"type": "touchEnd", "touchPoints": []})
        page.wait_for_timeout(300)
        return page.evaluate("scrollY") - before

    assert swiped() > 60
    canvas.tap()
    assert swiped() == 0


def test_filling_the_screen_is_told_as_a_state(slide):
    button = slide.page.get_by_role("button", name="Fill the screen")
    assert button.get_attribute("aria-pressed") == "false"
    button.click()
    slide.page.wait_for_function("() => document.fullscreenElement")
    slide.settle()
    assert button.get_attribute("aria-pressed") == "true"


def test_print_holds_still_pictures_in_the_place_of_the_view(visit, report):
    page = opened(visit(report))
    printed = page.printed()
    assert printed.paper_mm == (210, 297)
    for words in ("Overlay of the cells by score", "Hot spot 1", "Hot spot 2", "What each document was made"):
        assert words in printed.text
    assert "Drag, or use the arrow keys" not in printed.text


def test_without_scripts_the_still_pictures_take_the_place_of_the_view(browser, report):
    page = browser.new_page(java_script_enabled=False)
    page.goto(report.resolve().as_uri())
    assert page.locator("figure.still").is_visible()
    assert not page.locator(CANVAS).is_visible()
    assert page.locator("figure.spot").count() == 2
    page.close()


def test_no_other_script_can_run_in_the_page(visit, report, tmp_path):
    html = report.read_text(encoding="utf-8")
    changed = tmp_path / "planted.html"
    planted = html.replace("<main>", "<main><script>document.title = 'planted'</script>", 1)
    changed.write_text(planted, encoding="utf-8")
    page = visit(changed)
    assert page.page.title() != "planted"
    assert any("Content Security Policy" in fault for fault in page.faults)
    page.faults.clear()
