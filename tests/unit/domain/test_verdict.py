from __future__ import annotations

import pytest

from her2path.domain.verdict import Indeterminate, NotEvaluable, State


@pytest.mark.parametrize(("code", "reason"), [("", "because"), ("code", "")])
def test_a_missing_reason_is_refused(code, reason):
    with pytest.raises(ValueError, match="needs a code and a reason"):
        NotEvaluable(code, reason)
    with pytest.raises(ValueError, match="needs a code and a reason"):
        Indeterminate((code,) if code else (), reason)


def test_pending_states_are_those_that_wait_for_somebody():
    assert {state for state in State if state.is_pending} == {
        State.NEEDS_IHC,
        State.NEEDS_ISH,
        State.NEEDS_RECOUNT,
        State.NEEDS_ADJUDICATION,
    }
