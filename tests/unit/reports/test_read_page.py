"""The reader's page: every channel of every nucleus, and fields for what the assay counts."""

from __future__ import annotations

import re

import pytest

from her2path.domain.ish import Probe
from her2path.imaging.fish.shown_nuclei import NucleusPicture
from her2path.reports.html.rendering import render_read_page
from her2path.reports.read_page import read_page
from tests.support.pages import Page

OUTLINE = ((10, 10), (50, 10), (30, 50))


def html_of(probe: Probe, nuclei: int = 2) -> str:
    roles = ("her2", "dapi") if probe is Probe.SINGLE else ("her2", "cep17", "dapi")
    pictures = [NucleusPicture(64, {r: f"{r}{n}".encode() for r in roles}, OUTLINE) for n in range(nuclei)]
    return render_read_page(read_page("bcdfghjk", pictures, [0.25] * nuclei, probe))


def page_of(html: str) -> Page:
    return Page(re.sub(r"<script>.*?</script>", "", html, flags=re.DOTALL))


@pytest.mark.parametrize(("probe", "fields"), [(Probe.DUAL, ["her2", "cep17"]), (Probe.SINGLE, ["her2"])])
def test_a_nucleus_has_a_field_for_every_colour_that_is_counted(probe, fields):
    page = page_of(html_of(probe))
    classes = [a.get("class") for tag, a in page.tags if tag == "input"]
    for name in ("her2", "cep17"):
        assert classes.count(name) == (2 if name in fields else 0)
    assert ("CEP17" in page.text) is (probe is Probe.DUAL)


def test_all_channels_are_shown_together_and_each_by_itself():
    page = page_of(html_of(Probe.DUAL))
    assert sum(tag == "image" for tag, _ in page.tags) == 6
    shown = [a["href"] for tag, a in page.tags if tag == "use"]
    assert shown == [f"#n{n}-{role}" for n in (1, 2) for role in ("her2", "cep17", "dapi")]


def test_the_bar_is_5_um_long():
    assert 'h20.0"' in html_of(Probe.DUAL)


def test_the_page_can_be_read_without_seeing_it():
    page = page_of(html_of(Probe.DUAL))
    pictures = [a for tag, a in page.tags if tag == "svg" and a.get("role") == "img"]
    assert len(pictures) == 8
    assert all(a["aria-label"].startswith("Nucleus ") for a in pictures)
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))
    labels = sum(tag == "label" for tag, _ in page.tags)
    assert labels == sum(tag in {"input", "select"} for tag, _ in page.tags)


def test_the_sheet_that_the_page_saves_has_the_columns_of_the_empty_one():
    assert '["sheet_id", "nucleus", "her2_signals", "not_countable", "comment"]' in html_of(Probe.SINGLE)
