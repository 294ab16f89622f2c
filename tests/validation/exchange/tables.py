"""The tables of ``docs/validation/exchange.md``."""

from __future__ import annotations

from tests.validation.exchange.parts import NAMES, OWN
from tests.validation.page import Results, measures, runs
from tests.validation.store import ROOT

PAGE = ROOT / "docs" / "validation" / "exchange.md"


def tables(results: Results) -> dict[str, str]:
    """All tables by the name of their marks."""
    return {name: measures(results, [OWN], [name]) for name in NAMES} | {"runs": runs(results)}
