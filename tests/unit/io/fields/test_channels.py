"""Roles of channels: told by names and wavelengths, never guessed, and no free text is kept."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from her2path.domain.ish import Probe
from her2path.errors import (
    ChannelError,
)
from her2path.io.fields.channels import (
    check_probe,
    check_stated,
    known_words,
    role_of_emission,
    role_of_name,
)
from her2path.io.fields.opening import open_field
from tests.support.fish_fields import write_ome
from tests.support.fish_layouts import ROLES


@pytest.mark.parametrize(
    ("name", "role"),
    [
        pytest.param("DAPI2", "dapi", id="numbered preset"),
        pytest.param("Spectrum Orange", "her2", id="dye in two words"),
        pytest.param("HER-2/neu FITC", "her2", id="the target outweighs the dye"),
        pytest.param("CEP 17", "cep17", id="target in two words"),
        pytest.param("CEN17-SpectrumOrange", "cep17", id="a centromere labelled orange"),
        pytest.param("Cy5", "other", id="a dye of neither probe"),
        pytest.param("Channel 0", None, id="no information"),
        pytest.param("Cy3 green filter", None, id="two dyes: no information"),
        pytest.param("covered", None, id="a word that holds `red`"),
        ("SpOr", "her2"),
        ("Chr 17 SpGr", "cep17"),
        ("Alexa Fluor 568", "her2"),
        ("PlatinumBright495", "cep17"),
        pytest.param("RARA SpectrumRed", "other", id="a third probe in a colour of the first"),
        pytest.param("TP53", "other", id="a control gene of chromosome 17"),
    ],
)
def test_a_name_states_a_role_only_by_whole_words(name, role):
    assert role_of_name(name) == role


@pytest.mark.parametrize(
    ("nm", "role"), [(455, "dapi"), (524, "cep17"), (622, "her2"), (670, "other"), (492, None)]
)
def test_an_emission_wavelength_states_a_role_within_its_band(nm, role):
    assert role_of_emission(nm) == role


@pytest.mark.parametrize(
    ("channel", "message"),
    [
        pytest.param({"Name": ["TRITC", "Cy5", "FITC"]}, "no DAPI", id="no DAPI channel"),
        pytest.param({"Name": ["DAPI", "Hoechst", "FITC"]}, "2 channels would be DAPI", id="two DAPI"),
        pytest.param({"Name": ["DAPI", "Cy3", "HER2"]}, "2 channels would be HER2", id="two HER2"),
        pytest.param({"Name": ["DAPI", "ZyOrange", "ZyGreen"]}, "kit that labels", id="reversed kit"),
        pytest.param(
            {"Name": ["DAPI", "FITC", "Cy3"], "EmissionWavelength": [460.0, 600.0, 570.0]},
            "by name",
            id="name against wavelength",
        ),
        pytest.param(
            {"Name": ["Channel 0", "Channel 1", "Channel 2"]}, "no DAPI", id="names that say nothing"
        ),
    ],
)
def test_channels_that_cannot_be_right_are_refused(tmp_path, planes, channel, message):
    path = write_ome(tmp_path / "field.ome.tif", planes, Channel=channel)
    with pytest.raises(ChannelError, match=message):
        open_field([path], name="image")


PERSON = "John SMITH 1950-01-01"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(f"DAPI {PERSON}", "DAPI", id="a dye"),
        pytest.param(f"{PERSON} spectrum_orange HER-2", "SpectrumOrange HER2", id="a dye and a target"),
        pytest.param(f"HER-2/neu FITC {PERSON}", "HER2/neu FITC", id="a target in three words"),
        pytest.param("Texas Red texasred", "Texas Red", id="each once"),
        pytest.param("AF 594 alexa-488", "AF594 Alexa 488", id="numbered dyes"),
        pytest.param("hoechst33342 DAPI2", "Hoechst DAPI", id="numbered presets"),
        pytest.param("green", "green", id="a colour"),
        pytest.param(PERSON, "", id="nothing known"),
    ],
)
def test_of_free_text_only_known_words_are_kept(text, words):
    assert known_words(text) == words


@pytest.mark.parametrize("sheet", [(), ROLES], ids=["by name", "by sheet"])
def test_personal_data_in_channel_names_are_not_stored(tmp_path, planes, sheet):
    names = [f"DAPI {PERSON}", f"Cy3 {PERSON}", f"{PERSON} FITC"]
    path = write_ome(tmp_path / "field.ome.tif", planes, Channel={"Name": names})
    with open_field([path], name="image", channels=sheet) as field:
        assert [c.name for c in field.channels] == ["DAPI", "Cy3", "FITC"]


def test_a_channel_that_names_nothing_known_is_called_by_its_wavelength_or_place(tmp_path, planes):
    for over, names in (
        ({"EmissionWavelength": [461.0, 588.0, 524.0]}, ["461 nm", "588 nm", "524 nm"]),
        ({}, ["channel 1", "channel 2", "channel 3"]),
    ):
        path = write_ome(tmp_path / "field.ome.tif", planes, Channel={"Name": [PERSON] * 3, **over})
        with open_field([path], name="image", channels=ROLES) as field:
            assert [c.name for c in field.channels] == names


def test_personal_data_in_file_names_are_not_stored(tmp_path, planes):
    files = [tmp_path / f"{PERSON} {word}.png" for word in ("DAPI", "Orange", "FITC")]
    for file, plane in zip(files, planes, strict=True):
        cv2.imwrite(str(file), plane)
    with open_field(files, name="image") as field:
        assert [(c.name, c.origin) for c in field.channels] == [
            ("DAPI", "file_name"),
            ("orange", "file_name"),
            ("FITC", "file_name"),
        ]


@pytest.mark.parametrize(
    "channel",
    [
        pytest.param({"Name": [f"Cy3 {PERSON}", f"{PERSON} Cy5", PERSON]}, id="no DAPI"),
        pytest.param({"Name": [f"DAPI {PERSON}", f"{PERSON} Hoechst", "Cy3"]}, id="two DAPI"),
        pytest.param({"Name": ["DAPI", f"ZyOrange {PERSON}", f"ZyGreen {PERSON}"]}, id="reversed kit"),
        pytest.param(
            {"Name": ["DAPI", f"FITC {PERSON}", "Cy3"], "EmissionWavelength": [460.0, 600.0, 570.0]},
            id="name against wavelength",
        ),
    ],
)
def test_refusals_repeat_no_personal_data(tmp_path, planes, channel):
    path = write_ome(tmp_path / "field.ome.tif", planes, Channel=channel)
    with pytest.raises(ChannelError) as caught:
        open_field([path], name="image")
    assert not any(word in str(caught.value).upper() for word in ("JOHN", "SMITH", "1950"))


@pytest.mark.parametrize(
    ("names", "sheet", "message"),
    [
        pytest.param(
            ("DAPI", "SpectrumOrange", "FITC"), ("dapi", "cep17", "her2"), "by its dye it is her2", id="dyes"
        ),
        pytest.param(("DAPI", "HER2", "CEP17"), ("dapi", "cep17", "her2"), "its name her2", id="targets"),
        pytest.param(("DAPI", "Cy3", "FITC"), ("her2", "dapi", "cep17"), "its name dapi", id="DAPI"),
        pytest.param(
            ("a", "b", "Cy5"), ("her2", "cep17", "dapi"), "by its dye it is other", id="Cy5 as DAPI"
        ),
        pytest.param(
            ("DAPI", "Cy3", "FITC"),
            ("dapi", "her2:green", "cep17:orange"),
            "its dye is not green",
            id="colour",
        ),
    ],
)
def test_a_sheet_that_contradicts_the_names_in_the_file_is_refused(tmp_path, planes, names, sheet, message):
    path = write_ome(tmp_path / "field.ome.tif", planes, Channel={"Name": list(names)})
    with (
        open_field([path], name="image", channels=sheet) as field,
        pytest.raises(ChannelError, match=message),
    ):
        check_stated(field.channels, stated=sheet, image="image")


@pytest.mark.parametrize(
    ("names", "sheet"),
    [
        pytest.param(("DAPI", "ZyOrange", "ZyGreen"), ("dapi", "cep17", "her2"), id="reversed kit by name"),
        pytest.param(
            ("DAPI", "Cy3", "FITC"), ("dapi", "cep17:orange", "her2:green"), id="reversed kit by the sheet"
        ),
        pytest.param(
            ("DAPI", "CEN17 Cy3", "HER2 FITC"), ("dapi", "cep17", "her2"), id="targets outweigh dyes"
        ),
        pytest.param(("DAPI", "Cy5", "FITC"), ("dapi", "her2", "cep17"), id="HER2 in far red"),
        pytest.param(("DAPI", "Cy3", "HER2"), ("dapi", "her2", "other"), id="a channel left out on purpose"),
        pytest.param(("x", "y", "z"), ("dapi", "cep17", "her2"), id="the file says nothing"),
    ],
)
def test_a_sheet_that_the_file_does_not_contradict_decides(tmp_path, planes, names, sheet):
    path = write_ome(tmp_path / "field.ome.tif", planes, Channel={"Name": list(names)})
    with open_field([path], name="image", channels=sheet) as field:
        check_stated(field.channels, stated=sheet, image="image")
        assert tuple(c.role for c in field.channels) == tuple(word.partition(":")[0] for word in sheet)


def test_a_third_probe_is_carried_along_by_its_name_alone(tmp_path, planes):
    names = ["DAPI", "HER2 SpectrumOrange", "CEP17 SpectrumGreen", f"D17S122 SpectrumAqua {PERSON}"]
    path = write_ome(
        tmp_path / "field.ome.tif", np.concatenate([planes, planes[:1]]), Channel={"Name": names}
    )
    with open_field([path], name="image") as field:
        check_probe(field.channels, probe=Probe.DUAL, image="image")
        assert (field.channels[3].role, field.channels[3].name) == ("other", "D17S122 SpectrumAqua")
