"""What earlier bundles of a case may have left at a server, and its present result no longer has.

A transaction replaces resources by their identifiers, but says nothing of those that it does not hold: a
category or a count of an earlier call would stand on as if it were true.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from her2path.io.documents import CallDoc
from her2path.reports.codes import ihc_code
from her2path.reports.fhir_elements import absent
from her2path.reports.fhir_ihc import IHC
from her2path.reports.fhir_ish import ish_roles
from her2path.reports.fhir_observations import Finding
from her2path.reports.fhir_status import CATEGORY
from her2path.reports.own_codes import own

_NO_LONGER = "The result of this case has no such part; an earlier one no longer holds."


def withdrawn_findings(call: CallDoc, sent: Collection[str]) -> Iterator[Finding]:
    """Cancel every role that a case can have and this one does not send.

    Parameters
    ----------
    call : CallDoc
        The result of the case.
    sent : collection of str
        Roles that its bundle holds.
    """
    every = {IHC: ihc_code(call), CATEGORY: own("her2_category"), **ish_roles(call)}
    for role, code in every.items():
        if role not in sent:
            # There is no such value; nothing is said of why, since often there never was one.
            reason = absent("not-applicable", _NO_LONGER)
            yield Finding(role=role, code=code, absent=reason, is_withdrawn=True)
