"""The policies of her2path: which of them a source names, and what `policies.md` says of each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "docs" / "guidelines"
PAGE = FOLDER / "policies.md"
_NAMED = re.compile(r"policy (P\d+(?:(?:, | and )P\d+)*)")
_SECTION = re.compile(
    r"^## (P\d+)\n\n\*\*Question\.\*\* (.+?)\n\n\*\*Decision\.\*\* (.+?)\n\n\*\*Reason\.\*\* (.+?)\n\n",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Policy:
    """What her2path decided where a guideline is silent."""

    number: str
    question: str
    decision: str
    reason: str


def policies_in(text: str) -> tuple[str, ...]:
    """List the policies that a text names, each once, in their order."""
    found = {number for part in _NAMED.findall(text) for number in re.findall(r"P\d+", part)}
    return tuple(sorted(found, key=lambda number: int(number[1:])))


def written(page: str | None = None) -> dict[str, Policy]:
    """Read the policies from their page."""
    text = PAGE.read_text(encoding="utf-8") if page is None else page
    return {
        number: Policy(number, *(" ".join(part.split()) for part in parts))
        for number, *parts in _SECTION.findall(text)
    }
