"""`her2path phantom fish`: files and truth on disk."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import tifffile
from typer.testing import CliRunner

from her2path.cli.phantom import app
from her2path.cli.phantom_fish import FishRequest, base_spec, choose_spec, with_profiles, write_fish
from her2path.domain.ish import IshGroup, Probe
from her2path.errors import ConfigError
from her2path.imaging.phantoms.fish import FishPhantomSpec, render_fish, spec_for_group

SMALL = FishPhantomSpec(seed=5, width_px=320, height_px=320)


def test_fields_of_a_specimen_are_summed_in_its_truth(tmp_path):
    spec = spec_for_group(IshGroup.GROUP_1, SMALL)
    paths = write_fish(FishRequest(tmp_path, "case", "ome", 2), spec)
    assert [p.name for p in paths] == ["case_1.ome.tif", "case_2.ome.tif"]
    truth = json.loads((tmp_path / "case_truth.json").read_text())
    assert truth["totals"]["her2"] == sum(f["totals"]["her2"] for f in truth["fields"])
    assert truth["totals"]["nuclei"] == sum(f["totals"]["nuclei"] for f in truth["fields"]) > 0
    assert truth["any_kind_totals"]["nuclei"] >= truth["totals"]["nuclei"]
    assert truth["section_totals"]["nuclei"] == truth["totals"]["nuclei"]
    assert truth["group"] == "1"


def test_nuclei_of_the_table_are_those_of_the_label_image(tmp_path):
    write_fish(FishRequest(tmp_path, "one", "ome", 1), SMALL)
    with (tmp_path / "one_nuclei.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    labels = tifffile.imread(tmp_path / "one_labels.tif")
    assert {int(r["nucleus_id"]) for r in rows} == set(np.unique(labels).tolist()) - {0}
    evaluable = [r for r in rows if not r["exclusion"]]
    truth = json.loads((tmp_path / "one_truth.json").read_text())
    assert sum(int(r["her2_resolvable"]) for r in evaluable) == truth["totals"]["her2"]
    assert sum(int(r["cep17_resolvable"]) for r in evaluable) == truth["totals"]["cep17"]


@pytest.mark.parametrize("layout", ["ome", "split", "rgb"])
def test_the_same_seed_writes_the_same_bytes(tmp_path, layout):
    for folder in ("a", "b"):
        write_fish(FishRequest(tmp_path / folder, "x", layout, 1), SMALL)
    names = sorted(p.name for p in (tmp_path / "a").iterdir())
    assert names == sorted(p.name for p in (tmp_path / "b").iterdir())
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_full_field_stays_small_on_disk(tmp_path):
    (path,) = write_fish(FishRequest(tmp_path, "full", "ome", 1), FishPhantomSpec(seed=1))
    assert path.stat().st_size <= 2_500_000
    np.testing.assert_array_equal(tifffile.imread(path), render_fish(FishPhantomSpec(seed=1)).planes)


def test_a_single_probe_has_a_truth_without_cep17(tmp_path):
    spec = base_spec(1, (320, 320), 0.16, 1, Probe.SINGLE)
    write_fish(FishRequest(tmp_path, "single", "ome", 1), spec)
    truth = json.loads((tmp_path / "single_truth.json").read_text())
    assert truth["totals"]["cep17"] is None
    assert truth["group"] is None


def test_means_that_are_asked_for_replace_the_default_ones():
    spec = choose_spec(SMALL, her2=9.5)
    assert (spec.her2_mean, spec.cep17_mean) == (9.5, SMALL.cep17_mean)


def test_a_group_and_means_together_are_refused():
    with pytest.raises(ConfigError, match="either --group or --her2"):
        choose_spec(SMALL, group=1, her2=3.0)


@pytest.mark.parametrize(
    ("spec", "named"),
    [
        pytest.param(lambda: base_spec(1, (0, 100), 0.16, 1, Probe.DUAL), "width_px", id="no width"),
        pytest.param(lambda: base_spec(1, (100, 100), -1, 1, Probe.DUAL), "mpp", id="negative pixel size"),
        pytest.param(lambda: choose_spec(SMALL, her2=-1.0), "her2_mean", id="negative mean"),
        pytest.param(
            lambda: choose_spec(SMALL, group=1, clusters=2.0), "cluster_fraction", id="clusters over 1"
        ),
    ],
)
def test_numbers_that_cannot_be_end_as_a_configuration_error(spec, named):
    with pytest.raises(ConfigError, match=named):
        spec()


@pytest.mark.parametrize("name", ["", "../x", "a/b", "a b", ".hidden", "<i>"])
def test_a_name_that_is_no_file_stem_is_refused(tmp_path, name):
    with pytest.raises(ConfigError, match="letters, digits"):
        write_fish(FishRequest(tmp_path, name, "ome", 1), SMALL)
    assert not list(tmp_path.iterdir())


def test_the_command_prints_the_images_it_wrote(tmp_path):
    arguments = ["fish", "--out", str(tmp_path), "--group", "3", "--seed", "7", "--width", "200"]
    result = CliRunner().invoke(app, [*arguments, "--height", "160", "--layout", "split", "--z-planes", "2"])
    assert result.exit_code == 0, result.output
    written = [tmp_path / f"fish_7_{role}.tif" for role in ("DAPI", "HER2", "CEP17")]
    assert result.output.split() == [str(path) for path in written]
    assert tifffile.imread(written[1]).shape == (2, 160, 200)


def test_profiles_are_put_together_and_copies_that_are_asked_for_win():
    spec = with_profiles(SMALL, ["thin_section", "shifted", "polysomy"], laboratory=False)
    assert spec.tissue.section_cut
    assert spec.optics.her2_shift_px != (0.0, 0.0)
    assert choose_spec(spec, her2=9.0).her2_mean == 9.0


def test_a_wrong_profile_names_those_there_are():
    with pytest.raises(ConfigError, match="no FISH profile 'thick'.*thin_section"):
        with_profiles(SMALL, ["thick"], laboratory=False)


def test_a_laboratory_drawn_at_random_keeps_the_size_in_micrometres():
    spec = with_profiles(SMALL, [], laboratory=True)
    assert spec.width_px * spec.mpp == pytest.approx(SMALL.width_px * SMALL.mpp, abs=spec.mpp)
    assert spec.seed == SMALL.seed


def test_an_8_bit_camera_writes_a_byte_a_pixel(tmp_path):
    (path,) = write_fish(
        FishRequest(tmp_path, "x", "ome", 1), with_profiles(SMALL, ["camera_8_bit"], laboratory=False)
    )
    assert tifffile.imread(path).dtype == np.uint8


def test_the_command_takes_profiles(tmp_path):
    arguments = ["fish", "--out", str(tmp_path), "--width", "200", "--height", "200", "--profile", "clusters"]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    assert json.loads((tmp_path / "fish_0_truth.json").read_text())["spec"]["tissue"]["clusters"]["most"] == 2
