"""What a report says of how firm an ISH count is: the chance of another result, and what would move it."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from markupsafe import Markup

from her2path.domain.guideline.findings import IshFinding
from her2path.io.call_entries import MarginEntry, PopulationEntry, StabilityEntry
from her2path.io.documents import CallDoc
from her2path.reports.html.plots import share_bar
from her2path.reports.numbers import count_text
from her2path.reports.odds import odds_text, probability_text
from her2path.reports.wording import ish_group_text

_BASIS = MappingProxyType(
    {
        "nuclei": "Worked out from the counted nuclei themselves: as many nuclei are drawn from them again, "
        "with repetition, in every possible way.",
        "poisson": "Worked out from the sums alone, as if HER2 and CEP17 signals fell into the nuclei "
        "at random and independently of each other (Poisson): no single nuclei are known.",
    }
)
_COUNTED = MappingProxyType(
    {
        "her2_signals": ("HER2 signal", "HER2 signals"),
        "cep17_signals": ("CEP17 signal", "CEP17 signals"),
        "nuclei_ratio_at_least_2": (
            "nucleus with a ratio of 2.0 or more",
            "nuclei with a ratio of 2.0 or more",
        ),
    }
)
"""What is counted, one and many."""
_ORDER = (*(str(finding) for finding in IshFinding if finding.is_result), str(IshFinding.INDETERMINATE))


@dataclass(frozen=True, slots=True)
class GroupChance:
    """One ISH result and how likely another count gives it."""

    name: str
    is_this: bool
    """Whether it is the result of the count itself."""
    probability: str
    bar: Markup


@dataclass(frozen=True, slots=True)
class Firmness:
    """How firm a count is, as printed; without chances only `reason` says why."""

    of: str
    """Whose count it is; empty where there is one population."""
    chance: str
    """The probability of another result in a sentence, or that it cannot be told; empty beside a reason."""
    beside: str
    """What the sentence leaves out; empty if nothing."""
    basis: str
    """What the probability was worked out from; empty without one."""
    groups: tuple[GroupChance, ...]
    """Empty without a probability."""
    margins: tuple[str, ...]
    """What would have to be counted otherwise for another result, in sentences."""
    reason: str
    """Why nothing can be said; empty where something is."""


def firmness_of(counted: CallDoc | PopulationEntry, of: str = "") -> Firmness | None:
    """Word how firm the ISH count of a case or a population is; None where nothing was counted."""
    found = counted.stability
    if found is not None and found.nuclei_alike:
        return Firmness(of, _alike(found), "", "", (), _margins(found), "")
    if found is not None:
        return Firmness(
            of=of,
            chance=_chance(found),
            beside=_beside(found),
            basis=_BASIS[found.basis],
            groups=_groups(found),
            margins=_margins(found),
            reason="",
        )
    if counted.no_stability is not None:
        return Firmness(of, "", "", "", (), (), counted.no_stability.reason)
    return None


def finding_text(finding: str) -> str:
    """Name an ISH result, or the lack of one."""
    return "no readable ISH" if finding == IshFinding.INDETERMINATE else ish_group_text(finding)


def _chance(found: StabilityEntry) -> str:
    of = f"another count of {count_text(found.nuclei)} nuclei"
    odds = odds_text(found.another_result)
    return (
        f"{of[0].upper()}{of[1:]} would give another ISH result {odds} "
        f"(probability {probability_text(found.another_result)})."
    )


def _alike(found: StabilityEntry) -> str:
    """Say why nuclei without any difference tell nothing, and where to look instead."""
    look = " See instead by how little it would have to change." if found.margin else ""
    return (
        f"The {count_text(found.nuclei)} counted nuclei are all alike, so drawing from them again always "
        f"gives the same count: how likely another count differs cannot be told from them.{look}"
    )


def _beside(found: StabilityEntry) -> str:
    if found.another_finding == found.another_result:
        return ""
    return (
        f"It would fall into another group {odds_text(found.another_finding)} "
        f"({probability_text(found.another_finding)}), but some groups are one result by this guideline."
    )


def _groups(found: StabilityEntry) -> tuple[GroupChance, ...]:
    """List every result that has a chance, in the order of the groups; the count's own always."""
    shown = {found.finding} | {name for name, chance in found.probabilities.items() if chance > 0}
    ranked = sorted(shown, key=lambda name: (_ORDER.index(name) if name in _ORDER else len(_ORDER), name))
    return tuple(
        GroupChance(
            name=finding_text(name),
            is_this=name == found.finding,
            probability=probability_text(found.probabilities.get(name, 0.0)),
            bar=share_bar(found.probabilities.get(name, 0.0), strong=name == found.finding),
        )
        for name in ranked
    )


def _margins(found: StabilityEntry) -> tuple[str, ...]:
    return tuple(_margin(entry) for entry in found.margin)


def _margin(entry: MarginEntry) -> str:
    """Say one smallest change, as in "2 fewer HER2 signals would make it ISH group 5"."""
    one, many = _COUNTED[entry.counted]
    n = abs(entry.change)
    more = "more" if entry.change > 0 else "fewer"
    return f"{count_text(n)} {more} {one if n == 1 else many} would make it {finding_text(entry.finding)}."
