"""Command `her2path qa sample-size`: cases that a study of agreement needs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from her2path.errors import ConfigError

if TYPE_CHECKING:
    from her2path.domain.stats.sample_size import SampleSize

_ONES = 1 + 1e-6


class Weights(StrEnum):
    """Of kappa."""

    UNWEIGHTED = "unweighted"
    LINEAR = "linear"
    QUADRATIC = "quadratic"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked; None = not asked."""

    agreement: float | None
    kappa: float | None
    shares: str
    width: float | None
    at_least: float | None
    cases: int | None
    power: float
    weights: Weights
    confidence: float


@dataclass(frozen=True, slots=True)
class Answer:
    """A plan, and what it answers in words."""

    asked: str
    plan: SampleSize


def sample_size(  # noqa: PLR0913, PLR0917  (one parameter an option)
    agreement: Annotated[
        float | None, typer.Option("--agreement", help="Agreement that is expected, as a share: 0.95.")
    ] = None,
    width: Annotated[
        float | None,
        typer.Option("--width", help="Widest interval allowed, upper less lower bound: 0.1."),
    ] = None,
    at_least: Annotated[
        float | None, typer.Option("--at-least", help="Agreement that the lower bound must reach: 0.9.")
    ] = None,
    power: Annotated[
        float, typer.Option("--power", help="Probability with which it must reach --at-least.")
    ] = 0.8,
    cases: Annotated[
        int | None, typer.Option("--cases", min=1, help="Cases at hand: the interval they would give.")
    ] = None,
    kappa: Annotated[
        float | None, typer.Option("--kappa", help="Expected kappa; needs --shares and --width.")
    ] = None,
    shares: Annotated[
        str, typer.Option("--shares", help="Shares of the categories in the study: 0.3,0.3,0.2,0.2.")
    ] = "",
    weights: Annotated[Weights, typer.Option("--weights", help="Of kappa.")] = Weights.UNWEIGHTED,
    confidence: Annotated[float, typer.Option("--confidence", help="Of the intervals.")] = 0.95,
    as_json: Annotated[bool, typer.Option("--json", help="Print all numbers as JSON.")] = False,
) -> None:
    """Say how many cases a study needs, for an interval of a given width or a bound to be shown."""
    question = Question(agreement, kappa, shares, width, at_least, cases, power, weights, confidence)
    if faults := tuple(_faults(question)):
        raise ConfigError(faults)
    answers = list(_answers(question))
    if as_json:
        typer.echo(json.dumps([{"asked": one.asked} | asdict(one.plan) for one in answers], indent=2))
        return
    asked = ""
    for one in answers:
        if one.asked != asked:
            typer.echo(one.asked)
            asked = one.asked
        typer.echo(f"  {_words(one.plan, in_percent=agreement is not None and 'kappa' not in one.asked)}")


def _faults(q: Question) -> Iterator[str]:
    """Name everything about the options that cannot be, all at once."""
    if q.agreement is None and q.kappa is None:
        yield "say what is expected: --agreement 0.95, or --kappa 0.8 with --shares"
    if q.agreement is not None and q.width is None and q.at_least is None and q.cases is None:
        yield "say what is wanted: --width 0.1, --at-least 0.9, or --cases 60"
    for name, value in (("--agreement", q.agreement), ("--kappa", q.kappa)):
        if value is not None and not 0 <= value <= 1:
            yield f"{name} {value:g}: give a share from 0 to 1, such as 0.95 for 95 %"
    between = (
        ("--width", q.width),
        ("--at-least", q.at_least),
        ("--power", q.power),
        ("--confidence", q.confidence),
    )
    for name, value in between:
        if value is not None and not 0 < value < 1:
            yield f"{name} {value:g}: give a share between 0 and 1"
    if q.at_least is not None and q.agreement is None:
        yield "--at-least needs the agreement that is expected: --agreement 0.95"
    if q.cases is not None and q.agreement is None:
        yield "--cases needs the agreement that is expected: --agreement 0.95"
    yield from _kappa_faults(q)


def _kappa_faults(q: Question) -> Iterator[str]:
    if q.kappa is None:
        if q.shares:
            yield "--shares are those of --kappa, which is not given"
        return
    if q.kappa == 1:
        yield "--kappa 1: perfect agreement has no interval to plan for; give a kappa below 1"
    if q.width is None:
        yield "--kappa needs the widest interval allowed: --width 0.2"
    shares = _shares(q.shares)
    if len(shares) < 2 or min(shares) <= 0:
        yield "--shares: give the share of each category, 2 or more of them above 0, such as 0.3,0.3,0.2,0.2"
    elif not 2 - _ONES <= sum(shares) <= _ONES:
        yield f"--shares sum to {sum(shares):g}, not to 1"


def _shares(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        return ()


def _answers(q: Question) -> Iterator[Answer]:
    # Loaded here so that help comes at once: SciPy and statsmodels.
    from her2path.domain.stats import sample_size as plans  # noqa: PLC0415
    from her2path.domain.stats.weighting import Weighting  # noqa: PLC0415

    sure = f"{100 * q.confidence:g} % confidence"
    if q.agreement is not None:
        expected = f"agreement of {100 * q.agreement:g} % expected"
        if q.width is not None:
            asked = f"{expected}, interval no wider than {100 * q.width:g} percentage points, {sure}"
            for method in plans.ShareInterval:
                plan = plans.cases_for_width(q.agreement, q.width, method=method, confidence=q.confidence)
                yield Answer(asked, plan)
        if q.at_least is not None:
            asked = (
                f"{expected}, lower bound at {100 * q.at_least:g} % or above "
                f"with {100 * q.power:g} % power, {sure}"
            )
            for method in plans.ShareInterval:
                plan = plans.cases_for_lower_bound(
                    q.agreement, q.at_least, method=method, power=q.power, confidence=q.confidence
                )
                yield Answer(asked, plan)
        if q.cases is not None:
            for method in plans.ShareInterval:
                low, high = plans.expected_interval(
                    q.agreement, q.cases, method=method, confidence=q.confidence
                )
                plan = plans.SampleSize(q.cases, low, high, method, q.confidence)
                yield Answer(f"{expected}, {q.cases} cases at hand, {sure}", plan)
    if q.kappa is not None and q.width is not None:
        shares = _shares(q.shares)
        plan = plans.cases_for_kappa(
            q.kappa, shares, q.width, weighting=Weighting(q.weights), confidence=q.confidence
        )
        of = " ".join(f"{100 * share:g} %" for share in shares)
        asked = f"{q.weights} kappa of {q.kappa:g} expected, categories {of}, width {q.width:g}, {sure}"
        yield Answer(asked, plan)


def _words(plan: SampleSize, *, in_percent: bool) -> str:
    if plan.cases is None or plan.low is None or plan.high is None:
        return f"{plan.method}: {plan.why}"
    low, high = (
        (f"{100 * plan.low:.1f}", f"{100 * plan.high:.1f} %")
        if in_percent
        else (f"{plan.low:.3f}", f"{plan.high:.3f}")
    )
    power = "" if plan.power is None else f", power {100 * plan.power:.1f} %"
    noun = "case" if plan.cases == 1 else "cases"
    return f"{plan.method}: {plan.cases} {noun}, interval then to expect {low} to {high}{power}"
