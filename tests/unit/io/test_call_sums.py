"""A call whose parts contradict each other is no call: one of them would be shown as the truth."""

from __future__ import annotations

import json

import pytest

from her2path.errors import ArtefactError
from her2path.io.documents import CallDoc, read_document
from tests.support.case_documents import TWO_PLUS, Fish, Ihc, write_case

GROUP_4 = Fish("f", [(5, 4)] * 30)


@pytest.fixture
def call(tmp_path):
    return write_case(tmp_path, "c1", Ihc("a", TWO_PLUS), GROUP_4)[0]


def changed(call, change):
    document = json.loads(call.read_text(encoding="utf-8"))
    change(document)
    call.write_text(json.dumps(document), encoding="utf-8")
    return call


def test_a_call_as_it_was_made_is_read(call):
    assert read_document(call, CallDoc).rule_trail[-1].conclusion == "needs_recount"


def test_a_state_that_the_rules_do_not_conclude_is_refused(call):
    changed(call, lambda document: document.update(state="negative"))
    with pytest.raises(
        ArtefactError, match=r"'negative' is not the conclusion of the rules, 'needs_recount'"
    ):
        read_document(call, CallDoc)


@pytest.mark.parametrize("name", ["her2_cep17_ratio", "her2_mean", "cep17_mean"])
def test_a_ratio_or_mean_that_is_not_of_its_totals_is_refused(call, name):
    changed(call, lambda document: document["ish"].update({name: 2.5}))
    with pytest.raises(ArtefactError, match=f"ish: {name} 2.5 is not that of") as refused:
        read_document(call, CallDoc)
    assert refused.value.exit_code == 5


def test_a_ratio_over_no_signals_is_refused(call):
    changed(call, lambda document: document["ish"].update(cep17_signals=0, cep17_mean=0))
    with pytest.raises(ArtefactError, match="her2_cep17_ratio"):
        read_document(call, CallDoc)


def test_a_number_of_another_kind_is_no_ratio(call):
    changed(call, lambda document: document["ish"].update(her2_signals="many"))
    with pytest.raises(ArtefactError, match="her2_cep17_ratio|her2_mean"):
        read_document(call, CallDoc)


def test_a_ratio_of_fewer_digits_is_the_same_ratio(call):
    def shortened(document):
        document["ish"]["her2_cep17_ratio"] = float(f"{document['ish']['her2_cep17_ratio']:.9g}")

    assert read_document(changed(call, shortened), CallDoc).ish["her2_cep17_ratio"] == 1.25
