from __future__ import annotations

import io

from rich.console import Console

from her2path.cli.summary import show_calls
from tests.support.case_documents import TWO_PLUS, Fish, Ihc, Setting, call_doc, nuclei


def shown(*calls):
    target = io.StringIO()
    show_calls(calls, console=Console(file=target, width=200))
    return target.getvalue()


def test_a_ratio_just_below_the_cut_is_not_printed_as_the_cut():
    assert " 1.999 " in shown(call_doc("c1", Ihc(cells=TWO_PLUS), Fish(nuclei=[(4, 2)] * 499 + [(3, 2)])))


def test_digits_follow_the_cuts_of_the_chosen_guideline():
    near = Ihc(cells={"incomplete_faint": 1004, "none": 8996})
    assert " 10.04 " in shown(call_doc("c1", near, setting=Setting("breast_2018")))
    assert " 10.0 " in shown(call_doc("c1", near, setting=Setting("colorectal_heracles_2015")))


def test_a_pending_count_is_named_by_what_must_be_counted():
    images = [Ihc(cells=TWO_PLUS), Fish(nuclei=nuclei(40, 4.9, 3.2))]
    assert "more nuclei needed" in shown(call_doc("c1", *images, setting=Setting("gastroesophageal_2016")))
