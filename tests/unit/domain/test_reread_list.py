from __future__ import annotations

import pytest

from her2path.domain.reread_list import ListWish, compose
from her2path.domain.verdict import NotEvaluable

DISCORDANT = [f"d{i:02}" for i in range(20)]
CONCORDANT = [f"c{i:02}" for i in range(100)]


def _made(**wish):
    return compose(DISCORDANT, CONCORDANT, ListWish(**({"seed": 7} | wish)))


def test_as_many_concordant_as_discordant_cases_and_a_tenth_twice():
    items = _made()

    assert sum(item.is_discordant for item in items if item.repeats is None) == 20
    assert sum(not item.is_discordant for item in items if item.repeats is None) == 20
    assert sum(item.repeats is not None for item in items) == 4
    assert [item.number for item in items] == list(range(1, 45))


def test_the_gravest_disagreements_are_taken():
    items = _made(discordant=5, repeats=0)

    assert {item.case_id for item in items if item.is_discordant} == set(DISCORDANT[:5])


def test_a_repeat_points_to_the_earlier_number_of_its_case_and_lies_far_from_it():
    items = _made()
    by_number = {item.number: item for item in items}

    for item in items:
        if item.repeats is not None:
            assert by_number[item.repeats].case_id == item.case_id
            assert by_number[item.repeats].repeats is None
            assert item.number - item.repeats >= len(items) // 4


def test_the_order_tells_nothing_of_who_disagreed():
    # Discordant cases come first when they are composed; on the list they are spread.
    numbers = [item.number for item in _made(repeats=0) if item.is_discordant]

    assert min(numbers) <= 10
    assert max(numbers) > 30


def test_one_seed_gives_one_list_and_another_seed_another():
    assert _made() == _made()
    assert _made() != _made(seed=8)


def test_the_order_of_concordant_cases_given_does_not_matter():
    assert compose(DISCORDANT, CONCORDANT[::-1], ListWish(seed=7)) == _made()


def test_too_few_concordant_cases_are_all_taken():
    items = compose(DISCORDANT, CONCORDANT[:3], ListWish(seed=7, repeats=0))

    assert sum(not item.is_discordant for item in items) == 3


def test_a_list_of_one_case_can_repeat_it():
    items = compose(["d"], [], ListWish(seed=1))

    assert [(item.case_id, item.repeats) for item in items] == [("d", None), ("d", 1)]


def test_without_a_discordant_case_there_is_no_list():
    assert isinstance(compose([], CONCORDANT, ListWish(seed=1)), NotEvaluable)
    assert isinstance(_made(discordant=0), NotEvaluable)


@pytest.mark.parametrize("wish", [{"seed": -1}, {"discordant": -1}, {"concordant": -1}, {"repeats": -1}])
def test_impossible_wishes_are_refused(wish):
    with pytest.raises(ValueError, match="0 or more"):
        ListWish(**({"seed": 1} | wish))


def test_a_list_with_every_case_twice_is_made_as_well_as_it_can_be():
    items = _made(repeats=40)

    assert len(items) == 80
    assert sum(item.repeats is not None for item in items) == 40


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("repeats", [4, 10, 20])
def test_every_repeat_comes_at_least_a_quarter_of_the_list_later(seed, repeats):
    items = _made(seed=seed, repeats=repeats)

    gaps = [item.number - item.repeats for item in items if item.repeats is not None]
    assert len(gaps) == repeats
    assert min(gaps) >= len(items) // 4
