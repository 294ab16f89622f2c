"""The configuration: unknown keys are refused, defaults and schemas follow from the code."""

from __future__ import annotations

import pytest
import yaml

from her2path.config import Config, parse_config, read_config
from her2path.errors import ConfigError
from tests.support import schemas


@pytest.mark.parametrize("path", schemas.files(), ids=lambda p: p.name)
def test_generated_file_is_what_the_code_says(path):
    assert path.read_text(encoding="utf-8") == schemas.files()[path], "run `make schemas`"


def test_shipped_defaults_are_the_defaults_of_the_code():
    assert parse_config(yaml.safe_load(schemas.default_config())) == Config()


def test_a_misspelt_step_is_named_with_its_neighbour():
    with pytest.raises(ConfigError, match="ihc_cels: unknown key; did you mean 'ihc_cells'"):
        parse_config({"ihc_cels": {}})


def test_a_misspelt_parameter_is_named_with_its_neighbour():
    with pytest.raises(ConfigError, match="slide_tiles.target_mp: unknown key; did you mean 'target_mpp'"):
        parse_config({"slide_tiles": {"target_mp": 0.5}})


def test_all_faults_are_reported_at_once():
    with pytest.raises(ConfigError) as caught:
        parse_config({"slide_tiles": {"target_mpp": "wide"}, "nonsense": 1})
    assert len(caught.value.faults) == 2
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("text", ["- a list", "key: [unclosed", "\x00"], ids=["list", "no yaml", "binary"])
def test_a_file_that_is_no_mapping_is_refused(tmp_path, text):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"config\.yaml"):
        read_config(path)
