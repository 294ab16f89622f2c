"""What other systems take from the demo, held against its calls."""

from __future__ import annotations

import pytest
from fhir.resources.R4B.bundle import Bundle

from her2path.io.documents import CallDoc, read_document
from tests.support.fhir_reading import Received, differences
from tests.support.fhir_rules import faults

pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group("demo")]


def test_every_bundle_of_the_demo_is_valid_and_reads_back_as_its_call(demo):
    calls = sorted(demo.out.glob("cases/*/call.json"))
    assert len(calls) >= 9
    for path in calls:
        text = path.with_name("report.fhir.json").read_text(encoding="utf-8")
        Bundle.model_validate_json(text)
        got = Received(text)
        assert not faults(got), path
        assert not differences(read_document(path, CallDoc), got), path
