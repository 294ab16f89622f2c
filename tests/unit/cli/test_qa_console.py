"""What the command of quality assurance prints."""

from __future__ import annotations

import io

from rich.console import Console

from her2path.cli.qa_chain import show
from her2path.domain.reads import Endpoint
from tests.support.qa_results import agreement


def test_a_difference_that_rounds_to_nothing_is_not_below_0_on_the_console(tmp_path):
    result = agreement()
    entry = next(one for one in result.among_readers if one.endpoint is Endpoint.SCORE and not one.stratum)
    alike = next(iter(entry.estimates.values()))
    tiny = alike.model_copy(update={"value": -0.0004, "low": -0.0004, "high": 0.1})
    found = {"software_readers": alike, "readers_readers": alike, "difference": tiny}
    changed = entry.model_copy(update={"estimates": found})
    console = Console(record=True, width=200, file=io.StringIO())
    show(result.model_copy(update={"among_readers": (changed,)}), tmp_path, console=console)
    assert "+0.0 (+0.0 to +10.0)" in console.export_text()
