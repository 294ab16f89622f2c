"""The phantom cases of the FISH validation: which tissue, which copies, whose microscope.

Seeds from 780 000 to 789 999 are used nowhere else: nothing was ever tuned or looked at on them.  With
``development`` the same cases come from seeds 200 000 lower, for work on the methods.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from her2path.domain.ish import IshGroup, SignalSummary
from her2path.imaging.phantoms.fish import FishPhantomSpec, spec_for_group, true_fish
from her2path.imaging.phantoms.fish_profiles import CONDITIONS, COPIES, spec_for_profile
from her2path.imaging.phantoms.fish_random import random_fish_spec

VALIDATION_SEEDS = 780_000
DEVELOPMENT_SEEDS = 580_000
ENOUGH_NUCLEI = 40
"""A case has fields until this many nuclei can be scored, two at least and six at most."""
FIELDS = (2, 6)
RATIO_CUT, COPY_CUTS = 2.0, (4.0, 6.0)
NEAR_RATIO, NEAR_COPIES = 0.1, 0.3

GROUPS = tuple(IshGroup)
UNHYBRIDISED = frozenset({"unhybridised_patch", "no_probe"})
"""Profiles for the rows on nuclei without signals."""
BORDERLINE: tuple[tuple[Literal["ratio", "copies"], float, float, tuple[float, ...]], ...] = (
    ("ratio", 5.4, 2.6, (1.93, 1.98, 2.07)),
    ("ratio", 3.2, 1.6, (1.95, 2.03)),
    ("copies", 4.2, 3.0, (3.8, 4.0, 4.2)),
    ("copies", 4.2, 1.5, (3.9, 4.1)),
    ("copies", 6.5, 4.4, (5.85, 6.15)),
)
"""Cut, first copies of HER2 and CEP17, and where the truth shall lie; the first of each row in a random
laboratory."""
AIM_TURNS, AIM_NEAR = 24, 0.04
RANDOM_CASES = 15


@dataclass(frozen=True, slots=True)
class FishCase:
    """One specimen: some fields of the same tissue."""

    name: str
    profile: str
    fields: tuple[FishPhantomSpec, ...]
    truth: SignalSummary
    """Resolvable signals of the nuclei that a reader would score, all fields together."""

    @property
    def borderline(self) -> bool:
        """Whether the truth lies close to a cut that decides its group."""
        return is_borderline(self.truth)


def is_borderline(truth: SignalSummary) -> bool:
    """Within 0.1 of ratio 2.0, or within 0.3 copies of a cut that matters at this ratio.

    4 copies decide at every ratio, 6 only below 2.0.
    """
    ratio, mean = truth.her2_cep17_ratio, truth.her2_mean
    if ratio is None or mean is None:
        return False
    cuts = COPY_CUTS if ratio < RATIO_CUT else COPY_CUTS[:1]
    return abs(ratio - RATIO_CUT) <= NEAR_RATIO or any(abs(mean - cut) <= NEAR_COPIES for cut in cuts)


@dataclass(frozen=True, slots=True)
class Aim:
    """Where the truth of a borderline case shall lie."""

    what: Literal["ratio", "copies"]
    value: float

    def of(self, truth: SignalSummary) -> float:
        """The figure that is aimed at."""
        figure = truth.her2_cep17_ratio if self.what == "ratio" else truth.her2_mean
        return 0.0 if figure is None else figure


@dataclass(frozen=True, slots=True)
class CasePlan:
    """A case before its fields are drawn."""

    name: str
    profile: str
    spec: FishPhantomSpec
    aim: Aim | None = None

    def made(self) -> FishCase:
        """Draw its fields; for a borderline case, with the copies that bring its truth to the aim."""
        if self.aim is None:
            return make_case(self.name, self.profile, self.spec)
        mean, best, least = self.spec.her2_mean, None, float("inf")
        for turn in range(AIM_TURNS):
            case = make_case(self.name, self.profile, replace(self.spec, her2_mean=round(mean, 3)))
            found = self.aim.of(case.truth)
            if abs(found - self.aim.value) < least:
                best, least = case, abs(found - self.aim.value)
            if least < AIM_NEAR:
                break
            # Each mean draws other numbers, so that steps become smaller.
            mean *= (self.aim.value / max(found, 0.1)) ** (1 / (1 + turn))
        if best is None:
            raise ValueError(f"no case comes near {self.aim}")
        return best


def make_case(name: str, profile: str, spec: FishPhantomSpec) -> FishCase:
    """Take fields of counting seeds until the case has enough nuclei."""
    fields: list[FishPhantomSpec] = []
    truth: SignalSummary | None = None
    for number in range(FIELDS[1]):
        one = replace(spec, seed=spec.seed + number)
        found = true_fish(one).summary
        truth = found if truth is None else truth + found
        fields.append(one)
        if len(fields) >= FIELDS[0] and truth.nuclei >= ENOUGH_NUCLEI:
            break
    if truth is None:
        raise ValueError("a case has at least one field")
    return FishCase(name, profile, tuple(fields), truth)


def first_seed(*, development: bool) -> int:
    """Seed of the first case."""
    return DEVELOPMENT_SEEDS if development else VALIDATION_SEEDS


def plans(*, development: bool) -> list[CasePlan]:
    """Plan sixty cases: every profile, cases beside the cuts, and laboratories drawn at random."""
    first = first_seed(development=development)
    found: list[CasePlan] = []

    def add(name: str, profile: str, spec: FishPhantomSpec, aim: Aim | None = None) -> None:
        number = len(found)
        found.append(CasePlan(f"{number} {name}", profile, replace(spec, seed=first + 10 * number), aim))

    for place, profile in enumerate(CONDITIONS):
        group = GROUPS[place % len(GROUPS)]
        add(f"{profile}, group {group.value}", profile, spec_for_group(group, spec_for_profile(profile)))
    for profile in COPIES:
        if profile not in UNHYBRIDISED:
            add(profile, profile, spec_for_profile(profile))
    for cut, her2, cep17, aims in BORDERLINE:
        for value in aims:
            base = random_fish_spec(first + 10 * len(found)) if value == aims[0] else FishPhantomSpec()
            plain = replace(base.tissue, clusters=None, second=None, section_cut=False)
            spec = replace(
                base, her2_mean=her2, cep17_mean=cep17, her2_fano=0.4, cep17_fano=0.3, tissue=plain
            )
            profile = "random laboratory" if value == aims[0] else "plain"
            add(f"borderline, {cut} {value}", profile, spec, Aim(cut, value))
    for _ in range(RANDOM_CASES):
        add("random laboratory", "random laboratory", random_fish_spec(first + 10 * len(found)))
    return found


def some(found: list[CasePlan], count: int | None) -> list[CasePlan]:
    """Every so many cases, so that all profiles are among them; all where `count` is None."""
    if count is None or count >= len(found):
        return found
    return [found[round(place * len(found) / count)] for place in range(count)]
