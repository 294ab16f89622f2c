"""Command `her2path qa sample-size`."""

from __future__ import annotations

import json

import pytest
import typer
from typer.testing import CliRunner

from her2path.cli.qa_sample_size import sample_size
from her2path.errors import ConfigError

app = typer.Typer()
app.command()(sample_size)
runner = CliRunner()


def _ask(*options):
    result = runner.invoke(app, list(options))
    assert result.exit_code == 0, result.output
    return result.output


def _faults(*options):
    error = runner.invoke(app, list(options)).exception
    assert isinstance(error, ConfigError)
    return str(error)


def test_cases_for_a_width_by_both_intervals():
    lines = _ask("--agreement", "0.95", "--width", "0.1").splitlines()

    assert lines[0] == (
        "agreement of 95 % expected, interval no wider than 10 percentage points, 95 % confidence"
    )
    assert lines[1].startswith("  Wilson: 83 cases, interval then to expect 88.0 to 98.0 %")
    assert lines[2].startswith("  Clopper-Pearson: ")


def test_cases_to_show_a_bound_come_with_their_power():
    plans = json.loads(_ask("--agreement", "0.97", "--at-least", "0.9", "--json"))

    assert [plan["method"] for plan in plans] == ["Wilson", "Clopper-Pearson"]
    assert plans[1]["cases"] == 114
    assert all(plan["power"] >= 0.8 for plan in plans)


def test_interval_of_the_cases_at_hand():
    # 57 of 60: shared rules, section 4.
    output = _ask("--agreement", "0.95", "--cases", "60")

    assert "Wilson: 60 cases, interval then to expect 86.3 to 98.3 %" in output
    assert "Clopper-Pearson: 60 cases, interval then to expect 86.1 to 99.0 %" in output


def test_cases_for_a_kappa_name_its_weights_and_shares():
    output = _ask("--kappa", "0.8", "--shares", "0.2,0.3,0.3,0.2", "--width", "0.2", "--weights", "quadratic")

    assert "quadratic kappa of 0.8 expected, categories 20 % 30 % 30 % 20 %, width 0.2" in output
    assert "large-sample variance of kappa: 171 cases, interval then to expect 0.700 to 0.900" in output


def test_a_plan_that_no_study_can_meet_says_so():
    assert "no number of cases" in _ask("--agreement", "0.9", "--at-least", "0.95")


def test_agreement_and_kappa_are_answered_together():
    output = _ask("--agreement", "0.9", "--kappa", "0.8", "--shares", "0.5,0.5", "--width", "0.2")

    assert output.count("expected") == 2
    assert "Wilson: " in output
    assert "0.700 to 0.900" in output


def test_all_faults_of_the_options_at_once():
    said = _faults("--agreement", "95", "--width", "0", "--confidence", "1.5", "--shares", "0.5")

    for part in ("--agreement 95", "--width 0", "--confidence 1.5", "--shares are those of --kappa"):
        assert part in said


@pytest.mark.parametrize(
    ("options", "part"),
    [
        pytest.param([], "--agreement 0.95, or --kappa", id="nothing expected"),
        pytest.param(["--agreement", "0.9"], "say what is wanted", id="nothing wanted"),
        pytest.param(["--kappa", "0.8", "--shares", "0.5,0.5"], "widest interval", id="kappa without width"),
        pytest.param(["--kappa", "0.8", "--width", "0.2"], "--shares:", id="kappa without shares"),
        pytest.param(["--kappa", "0.8", "--width", "0.2", "--shares", "a,b"], "--shares:", id="no numbers"),
        pytest.param(
            ["--kappa", "0.8", "--width", "0.2", "--shares", "0.5,0.4"], "sum to 0.9", id="shares below 1"
        ),
        pytest.param(
            ["--kappa", "1", "--width", "0.2", "--shares", "0.5,0.5"], "perfect", id="perfect kappa"
        ),
        pytest.param(["--kappa", "0.8", "--at-least", "0.9"], "--at-least needs", id="bound of a kappa"),
        pytest.param(["--kappa", "0.8", "--cases", "9"], "--cases needs", id="cases of a kappa"),
        pytest.param(["--agreement", "nan", "--cases", "9"], "--agreement nan", id="not a number"),
    ],
)
def test_options_that_make_no_plan_are_refused_with_a_remedy(options, part):
    assert part in _faults(*options)
