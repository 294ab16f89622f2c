"""Patients are split alike whoever else is in the dataset, and every class is where it is needed."""

from collections import Counter

import pytest

from her2path.training.splits import Shares, split_patients


def patients(n, classes=("Tumor",)):
    return {f"p{number}": frozenset(classes) for number in range(n)}


def test_a_patient_who_is_added_moves_nobody():
    before = split_patients(patients(400), {}, shares=Shares(), seed=3)
    after = split_patients(patients(401), {}, shares=Shares(), seed=3)
    assert before.items() <= after.items()


def test_shares_are_those_that_were_asked_for():
    counts = Counter(split_patients(patients(2000), {}, shares=Shares(0.1, 0.2), seed=0).values())
    assert counts["val"] == pytest.approx(200, abs=40)
    assert counts["test"] == pytest.approx(400, abs=55)


def test_another_seed_is_another_split():
    one, other = (split_patients(patients(100), {}, shares=Shares(), seed=seed) for seed in (0, 1))
    assert one != other


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(
    ("n", "least"),
    [
        pytest.param(2, {"train": 1, "val": 1}, id="two patients"),
        pytest.param(4, {"train": 2, "val": 1, "test": 1}, id="four patients"),
        pytest.param(10, {"train": 5, "val": 1, "test": 1}, id="ten patients"),
    ],
)
def test_few_patients_fill_every_split_that_they_can(n, least, seed):
    counts = Counter(split_patients(patients(n), {}, shares=Shares(), seed=seed).values())
    assert all(counts[split] >= count for split, count in least.items())


@pytest.mark.parametrize("seed", range(10))
def test_a_rare_class_is_learnt_and_held_out(seed):
    classes = patients(60) | {f"r{number}": frozenset({"Tumor", "Tumor: 3+"}) for number in range(4)}
    found = split_patients(classes, {}, shares=Shares(), seed=seed)
    assert {found[f"r{number}"] for number in range(4)} == {"train", "val", "test"}


def test_stated_splits_are_kept():
    fixed = {"p0": "test", "p1": "test", "p2": "test"}
    found = split_patients(patients(4), fixed, shares=Shares(), seed=0)
    assert fixed.items() <= found.items()
    assert found["p3"] == "train"


def test_without_a_test_share_nobody_is_tested():
    found = split_patients(patients(50), {}, shares=Shares(0.2, 0.0), seed=0)
    assert set(found.values()) == {"train", "val"}
