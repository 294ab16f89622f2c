from __future__ import annotations

import pytest
import yaml

from her2path.io.yaml_text import parse_yaml


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a: 1\nb: 2\na: 3\n", id="at the top"),
        pytest.param("step:\n  a: 1\n  b: 2\n  a: 3\n", id="in a section"),
        pytest.param("{a: 1, a: 3}", id="in braces"),
    ],
)
@pytest.mark.parametrize("as_words", [False, True])
def test_a_key_that_is_stated_twice_is_refused_by_name(text, as_words):
    with pytest.raises(yaml.YAMLError, match="'a' stands in line"):
        parse_yaml(text, as_words=as_words)


def test_the_same_key_in_two_sections_is_no_twin():
    assert parse_yaml("x: {a: 1}\ny: {a: 2}\n") == {"x": {"a": 1}, "y": {"a": 2}}


def test_words_stay_words_where_they_are_asked_for():
    assert parse_yaml("scores: {negative: 0, none: no}", as_words=True) == {
        "scores": {"negative": "0", "none": "no"}
    }


def test_code_in_yaml_is_never_run():
    with pytest.raises(yaml.YAMLError):
        parse_yaml("!!python/object/apply:os.system ['true']")
