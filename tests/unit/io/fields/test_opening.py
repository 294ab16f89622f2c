"""Fluorescence images: every layout opens alike, and what cannot be told safely is refused."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from her2path.domain.ish import Probe
from her2path.errors import (
    ChannelError,
    Her2PathError,
    ImageNotFoundError,
    PixelSizeError,
    UnreadableImageError,
    UnsuitableImageError,
)
from her2path.io.fields.channels import (
    check_probe,
    check_stated,
    known_words,
    role_of_emission,
    role_of_name,
)
from her2path.io.fields.opening import open_field
from her2path.io.slides.source import WorkingBox
from tests.support.fish_fields import write_ome

ROLES = ("dapi", "her2", "cep17")


@pytest.fixture
def planes():
    return np.random.default_rng(3).integers(0, 4000, (3, 90, 130)).astype(np.uint16)


def write_layout(layout, folder, planes):  # noqa: PLR0911  (one return a layout)
    """Write `planes` in a layout; return its files and the sheet's channels."""
    single = folder / "field.tif"
    match layout:
        case "ome":
            return [write_ome(folder / "field.ome.tif", planes)], ()
        case "ome by wavelength":
            channel = {"Name": ["a", "b", "c"], "EmissionWavelength": [461.0, 588.0, 524.0]}
            return [write_ome(folder / "field.ome.tif", planes, Channel=channel)], ()
        case "ome tiles, sheet":
            tifffile.imwrite(
                single, planes, ome=True, tile=(32, 32), compression="zlib", metadata={"axes": "CYX"}
            )
            return [single], ROLES
        case "imagej, sheet":
            tifffile.imwrite(single, planes, imagej=True, metadata={"axes": "CYX"})
            return [single], ROLES
        case "plain pages, sheet":
            tifffile.imwrite(single, planes, photometric="minisblack", metadata=None)
            return [single], ROLES
        case "strips":
            metadata = {"axes": "CYX", "Channel": {"Name": ["Hoechst 33342", "Texas Red", "FITC"]}}
            tifffile.imwrite(
                single, planes, ome=True, rowsperstrip=7, metadata=metadata, photometric="minisblack"
            )
            return [single], ()
        case "one file a channel":
            files = [folder / f"HER2case_{word}.png" for word in ("DAPI", "Orange", "FITC")]
            for file, plane in zip(files, planes, strict=True):
                cv2.imwrite(str(file), plane)
            return files, ()
    raise AssertionError(layout)


LAYOUTS = (
    "ome",
    "ome by wavelength",
    "ome tiles, sheet",
    "imagej, sheet",
    "plain pages, sheet",
    "strips",
    "one file a channel",
)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_planes_and_roles(tmp_path, planes, layout):
    files, sheet = write_layout(layout, tmp_path, planes)
    with open_field(files, name="image", channels=sheet) as field:
        assert tuple(c.role for c in field.channels) == ROLES
        assert field.size_px0 == (130, 90)
        for index in range(3):
            np.testing.assert_array_equal(field.plane(index), planes[index])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_window_is_the_same_part_of_the_plane(tmp_path, planes, layout):
    files, sheet = write_layout(layout, tmp_path, planes)
    with open_field(files, name="image", channels=sheet) as field:
        window = field.plane(1, box=WorkingBox(row=21, col=30, height=50, width=77))
    np.testing.assert_array_equal(window, planes[1, 21:71, 30:107])


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


@pytest.mark.parametrize("space", ["separated", "cielab"])
def test_colours_that_are_no_light_are_refused(tmp_path, space):
    colours = np.zeros((60, 60, 4 if space == "separated" else 3), np.uint8)
    tifffile.imwrite(tmp_path / "capture.tif", colours, photometric=space)
    with pytest.raises(UnsuitableImageError, match="no intensities") as caught:
        open_field([tmp_path / "capture.tif"], name="image")
    assert caught.value.code == "pixel_type"


def test_a_palette_is_read_only_where_it_tints_grey_levels(tmp_path):
    grey = np.arange(3600, dtype=np.uint16).reshape(60, 60).astype(np.uint8)
    ramp = np.zeros((3, 256), np.uint16)
    ramp[0] = np.arange(256) * 257
    mixed = np.random.default_rng(1).integers(0, 65536, (3, 256)).astype(np.uint16)
    for name, palette in (("ramp", ramp), ("mixed", mixed)):
        tifffile.imwrite(tmp_path / f"{name}.tif", grey, photometric="palette", colormap=palette)
    with open_field([tmp_path / "ramp.tif"], name="image", channels=("dapi",)) as field:
        np.testing.assert_array_equal(field.plane(0), grey)
    with pytest.raises(UnsuitableImageError, match="palette"):
        open_field([tmp_path / "mixed.tif"], name="image", channels=("dapi",))


def test_the_sheet_must_name_every_channel(tmp_path, planes):
    path = write_ome(tmp_path / "field.ome.tif", planes)
    with pytest.raises(ChannelError, match="2 channels, but the image has 3"):
        open_field([path], name="image", channels=("dapi", "her2"))


def test_pages_of_unknown_meaning_are_not_guessed_to_be_channels(tmp_path, planes):
    path = tmp_path / "pages.tif"
    tifffile.imwrite(path, planes, photometric="minisblack", metadata=None)
    with pytest.raises(ChannelError, match="channels or focus planes"):
        open_field([path], name="image")


def test_focus_planes_are_not_taken_for_the_channels_of_the_sheet(tmp_path, planes):
    path = tmp_path / "stack.tif"
    tifffile.imwrite(path, planes, imagej=True, metadata={"axes": "ZYX"})
    with pytest.raises(ChannelError, match="3 focus planes"):
        open_field([path], name="image", channels=ROLES)


def _one_file_a_plane(folder, planes, axis):
    """Write an OME-TIFF the way some software splits it: each file holds one plane and names the others."""
    names = [f"plane{i}.ome.tif" for i in range(len(planes))]
    ids = [f"urn:uuid:00000000-0000-0000-0000-{i:012d}" for i in range(len(planes))]
    height, width = planes[0].shape
    size = {"X": width, "Y": height, "Z": 1, "C": 1, "T": 1} | {axis: len(planes)}
    sizes = " ".join(f'Size{letter}="{n}"' for letter, n in size.items())
    channels = "".join(
        f'<Channel ID="Channel:0:{i}" Name="{name}" SamplesPerPixel="1"/>'
        for i, name in enumerate(("DAPI", "SpectrumOrange", "SpectrumGreen")[: size["C"]])
    )
    places = "".join(
        f'<TiffData IFD="0" PlaneCount="1" First{axis}="{i}"><UUID FileName="{name}">{uid}</UUID></TiffData>'
        for i, (name, uid) in enumerate(zip(names, ids, strict=True))
    )
    for name, uid, plane in zip(names, ids, planes, strict=True):
        header = (
            '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" '
            f'UUID="{uid}"><Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" '
            f'{sizes} PhysicalSizeX="0.1" PhysicalSizeY="0.1">{channels}{places}</Pixels></Image></OME>'
        )
        tifffile.imwrite(folder / name, plane, description=header, metadata=None)
    return folder / names[0]


@pytest.mark.parametrize("axis", ["C", "Z"])
def test_planes_in_files_that_the_sheet_does_not_list_are_refused(tmp_path, planes, axis):
    # Every plane was read from the first file: a stack without depth, channels that are all DAPI.
    path = _one_file_a_plane(tmp_path, planes, axis)
    with pytest.raises(UnsuitableImageError, match="spreads one image over several files"):
        open_field([path], name="image")


def test_transparency_is_no_light(tmp_path, planes):
    grey = (planes // 16).astype(np.uint8)
    files = [tmp_path / f"field_{word}.png" for word in ("DAPI", "Orange", "FITC")]
    for file, plane in zip(files, grey, strict=True):
        Image.fromarray(np.dstack([plane, np.full_like(plane, 255)]), "LA").save(file)
    with open_field(files, name="image") as field:
        for channel, plane in zip(field.channels, grey, strict=True):
            np.testing.assert_array_equal(field.plane(channel.index), plane)


def test_of_several_scenes_the_first_is_read_and_the_log_says_so(tmp_path, planes, caplog):
    path = tmp_path / "scenes.ome.tif"
    head = {"axes": "CYX", "Channel": {"Name": ["DAPI", "SpectrumOrange", "SpectrumGreen"]}}
    with tifffile.TiffWriter(path, ome=True) as file:
        for scene in (planes, planes[:, ::-1]):
            file.write(scene, metadata=head, photometric="minisblack")
    with open_field([path], name="image") as field:
        np.testing.assert_array_equal(field.plane(0), planes[0])
    assert "image image: its file holds 2 images" in caplog.text


def test_a_time_series_is_refused(tmp_path, planes):
    path = tmp_path / "series.ome.tif"
    tifffile.imwrite(path, planes, metadata={"axes": "TYX"}, photometric="minisblack")
    with pytest.raises(UnsuitableImageError, match="time series"):
        open_field([path], name="image", channels=("dapi",))


def test_probes_are_projected_by_their_maximum_with_its_depth(tmp_path):
    stack = np.zeros((4, 3, 40, 40), np.uint16)
    stack[2, 1, 10, 12] = 500
    stack[3, 1, 20, 30] = 700
    path = write_ome(tmp_path / "stack.ome.tif", stack)
    with open_field([path], name="image") as field:
        assert field.z_planes == 4
        assert field.plane(1)[10, 12] == 500
        assert field.plane(1)[20, 30] == 700
        assert (field.depth(1)[10, 12], field.depth(1)[20, 30]) == (2, 3)


def test_dapi_is_taken_from_its_sharpest_plane(tmp_path):
    rng = np.random.default_rng(0)
    sharp = (rng.random((64, 64)) > 0.7).astype(np.float32) * 1000
    stack = np.zeros((3, 3, 64, 64), np.uint16)
    for z, sigma in enumerate((6.0, 1.0, 6.0)):
        stack[z, 0] = cv2.GaussianBlur(sharp, (0, 0), sigma)
    with open_field([write_ome(tmp_path / "stack.ome.tif", stack)], name="image") as field:
        np.testing.assert_array_equal(field.plane(0), stack[1, 0])


def test_an_rgb_capture_reads_red_as_her2_green_as_cep17_blue_as_dapi(tmp_path):
    rgb = np.zeros((60, 60, 3), np.uint8)
    rgb[10, 10], rgb[20, 20], rgb[30, 30] = (200, 0, 0), (0, 150, 0), (0, 0, 90)
    cv2.imwrite(str(tmp_path / "capture.png"), rgb[..., ::-1])
    with open_field([tmp_path / "capture.png"], name="image") as field:
        by_role = {c.role: field.plane(c.index) for c in field.channels}
    assert (by_role["her2"][10, 10], by_role["cep17"][20, 20], by_role["dapi"][30, 30]) == (200, 150, 90)


def test_a_colour_capture_as_jpeg_is_refused_as_it_smears_the_colours_of_signals(tmp_path):
    rgb = np.zeros((64, 64, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "capture.jpg"), rgb)
    tifffile.imwrite(tmp_path / "capture.tif", rgb, photometric="rgb", compression="jpeg", tile=(64, 64))
    for name in ("capture.jpg", "capture.tif"):
        with pytest.raises(UnsuitableImageError, match="JPEG") as error:
            open_field([tmp_path / name], name="image")
        assert error.value.code == "lossy_colours"


def test_a_bright_field_image_is_refused(tmp_path):
    cv2.imwrite(str(tmp_path / "he.png"), np.full((60, 60, 3), (180, 150, 220), np.uint8))
    with pytest.raises(UnsuitableImageError, match="bright-field") as error:
        open_field([tmp_path / "he.png"], name="image")
    assert error.value.code == "bright_field"


@pytest.mark.parametrize("kept", [0.95, 0.6, 0.3, 0.02])
@pytest.mark.parametrize(
    "layout", ["ome", "ome tiles, sheet", "imagej, sheet", "plain pages, sheet", "strips"]
)
def test_a_file_cut_short_is_refused_on_opening(tmp_path, planes, layout, kept):
    files, sheet = write_layout(layout, tmp_path, planes)
    whole = files[0].read_bytes()
    files[0].write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(UnreadableImageError):
        open_field(files, name="image", channels=sheet)


@pytest.mark.parametrize("layout", ["ome", "imagej, sheet", "plain pages, sheet", "strips", "capture"])
def test_a_damaged_file_never_ends_in_a_defect(tmp_path, planes, layout):
    rng = np.random.default_rng(5)
    if layout == "capture":
        files, sheet = [tmp_path / "capture.png"], ()
        cv2.imwrite(str(files[0]), np.moveaxis(planes >> 6, 0, 2).astype(np.uint8))
    else:
        files, sheet = write_layout(layout, tmp_path, planes)
    whole = files[0].read_bytes()
    refused = 0
    for _ in range(60):
        damaged = bytearray(whole)
        for place in rng.integers(0, min(len(whole), 900), 3):
            damaged[place] = rng.integers(0, 256)
        files[0].write_bytes(bytes(damaged))
        try:
            with open_field(files, name="image", channels=sheet) as field:
                for channel in field.channels:
                    field.plane(channel.index)
        except Her2PathError:
            refused += 1
    assert refused > 5


def damaged_in(mode, whole):
    """Bytes of a file after damage, one way a call."""
    third = len(whole) // 3
    match mode:
        case "cut off":
            return whole[:third]
        case "head alone":
            return whole[:8]
        case "noise after the head":
            return whole[:8] + np.random.default_rng(2).bytes(len(whole) - 8)
        case "zeros at the end":
            return whole[:-third] + bytes(third)
        case "zeros in the middle":
            return whole[:third] + bytes(third) + whole[2 * third :]
    raise AssertionError(mode)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_is_said_of_a_damaged_file_holds_neither_its_name_nor_its_folder(tmp_path, planes, layout):
    folder = tmp_path / "Jane_Doe"
    folder.mkdir()
    files, sheet = write_layout(layout, folder, planes)
    files = [file.rename(folder / f"Jane_Doe_{file.name}") for file in files]
    whole = files[0].read_bytes()
    said = []
    for mode in ("cut off", "head alone", "noise after the head", "zeros at the end", "zeros in the middle"):
        files[0].write_bytes(damaged_in(mode, whole))
        try:
            with open_field(files, name="image", channels=sheet) as field:
                for channel in field.channels:
                    field.plane(channel.index)
        except Her2PathError as error:
            said.append(str(error))
    assert len(said) >= 3
    for text in said:
        assert "image" in text
        assert not any(word in text for word in ("Jane", "Doe", str(tmp_path), ".tif", ".png"))


def test_a_file_that_may_not_be_read_is_named_by_its_place(tmp_path, planes, monkeypatch):
    files, _ = write_layout("one file a channel", tmp_path, planes)
    opened = Path.open

    def refuse(self, *args, **kwargs):
        if self == files[1]:
            raise PermissionError(13, "Permission denied", str(self))
        return opened(self, *args, **kwargs)

    monkeypatch.setattr(Path, "open", refuse)  # the tests may run as root, who may read everything
    with pytest.raises(UnreadableImageError, match="Permission denied") as caught:
        open_field(files, name="case-7")
    assert "'case-7 (2 of 3)'" in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


def test_a_folder_is_no_image(tmp_path):
    with pytest.raises(UnreadableImageError, match="folder"):
        open_field([tmp_path], name="image")


def test_pixels_that_are_no_numbers_are_refused(tmp_path, planes):
    values = planes.astype(np.float32) / 4095
    values[1, 5, 5] = np.nan
    with open_field([write_ome(tmp_path / "field.ome.tif", values)], name="image") as field:
        field.plane(0)
        with pytest.raises(UnsuitableImageError, match="no numbers"):
            field.plane(1)


def test_pixels_of_an_unknown_type_are_refused(tmp_path, planes):
    path = write_ome(tmp_path / "field.ome.tif", planes.astype(np.int32))
    with pytest.raises(UnsuitableImageError, match="8 or 16 bit"):
        open_field([path], name="image")


def test_a_text_file_named_tif_is_refused(tmp_path):
    (tmp_path / "notes.tif").write_text("not an image")
    with pytest.raises(UnreadableImageError):
        open_field([tmp_path / "notes.tif"], name="image")


def test_a_missing_file_is_named_by_its_image_and_place_never_by_its_own_name(tmp_path):
    with pytest.raises(ImageNotFoundError) as caught:
        open_field([tmp_path / "Jane_Doe.tif"], name="case-7")
    assert "'case-7'" in str(caught.value)
    assert "Jane" not in str(caught.value)


def test_a_missing_channel_file_is_named_by_its_place(tmp_path, planes):
    files, _ = write_layout("one file a channel", tmp_path, planes)
    files[1].unlink()
    with pytest.raises(ImageNotFoundError, match="image \\(2 of 3\\)"):
        open_field(files, name="image")


def test_files_of_one_image_must_agree_in_size(tmp_path, planes):
    files, _ = write_layout("one file a channel", tmp_path, planes)
    cv2.imwrite(str(files[2]), planes[2, :50])
    with pytest.raises(UnsuitableImageError, match="differ in size"):
        open_field(files, name="image")


def test_files_that_state_different_pixel_sizes_are_refused(tmp_path, planes):
    files = []
    for name, plane, mpp in zip(("DAPI", "Orange", "Green"), planes, (0.1, 0.1, 0.2), strict=True):
        over = {"Channel": {"Name": [name]}, "PhysicalSizeX": mpp, "PhysicalSizeY": mpp}
        files.append(write_ome(tmp_path / f"{name}.ome.tif", plane[None], **over))
    with pytest.raises(PixelSizeError, match="different pixel sizes"):
        open_field(files, name="image")


@pytest.mark.parametrize(
    ("x", "y", "unit", "mpp"),
    [
        pytest.param(160.0, 160.0, "nm", 0.16, id="nanometres"),
        pytest.param(0.00016, 0.00016, "mm", 0.16, id="millimetres"),
        pytest.param(0.16, 0.32, "µm", None, id="no square pixels"),
        pytest.param(0.0, 0.0, "µm", None, id="zero"),
        pytest.param(1.0, 1.0, "pixel", None, id="no unit of length"),
        pytest.param(352.8, 352.8, "µm", None, id="screen resolution"),
        pytest.param(None, None, "µm", None, id="missing"),
    ],
)
def test_only_a_plausible_ome_pixel_size_is_taken(tmp_path, planes, x, y, unit, mpp):
    over = {"PhysicalSizeX": x, "PhysicalSizeY": y, "PhysicalSizeXUnit": unit, "PhysicalSizeYUnit": unit}
    with open_field([write_ome(tmp_path / "field.ome.tif", planes, **over)], name="image") as field:
        found = field.pixel_size
    assert (None if found is None else pytest.approx(found.mpp)) == mpp


def test_an_imagej_unit_and_resolution_give_the_pixel_size(tmp_path, planes):
    path = tmp_path / "field.tif"
    tifffile.imwrite(path, planes, imagej=True, resolution=(10, 10), metadata={"axes": "CYX", "unit": "um"})
    with open_field([path], name="image", channels=ROLES) as field:
        assert field.pixel_size is not None
        assert field.pixel_size.mpp == pytest.approx(0.1)


def test_significant_bits_give_the_full_scale_of_a_12_bit_camera(tmp_path, planes):
    with open_field([write_ome(tmp_path / "f.ome.tif", planes, SignificantBits=12)], name="image") as field:
        assert field.full_scale == 4095.0


def test_dapi_with_one_probe_serves_a_single_probe_assay_only(tmp_path, planes):
    path = write_ome(tmp_path / "field.ome.tif", planes[:2], Channel={"Name": ["DAPI", "Cy3"]})
    with open_field([path], name="image") as field:
        check_probe(field.channels, probe=Probe.SINGLE, image="image")
        with pytest.raises(ChannelError, match="no CEP17"):
            check_probe(field.channels, probe=Probe.DUAL, image="image")


@pytest.mark.real
def test_the_ndpi_pair_opens_with_its_filters_and_pixel_size(real_data: Path):
    pair = [real_data / "slides" / f"fluorescence_{name}.ndpi" for name in ("dapi", "tritc")]
    with open_field(pair, name="image") as field:
        assert [(c.role, c.origin, c.emission_nm) for c in field.channels] == [
            ("dapi", "name", 455.0),
            ("her2", "name", 622.0),
        ]
        assert field.size_px0 == (3968, 4864)
        assert field.pixel_size is not None
        assert field.pixel_size.mpp == pytest.approx(0.2282, abs=1e-4)
        assert field.plane(0, box=WorkingBox(2000, 1500, 300, 300)).max() > 200


@pytest.mark.real
def test_the_same_ndpi_twice_has_two_dapi_channels(real_data: Path):
    path = real_data / "slides" / "fluorescence_dapi.ndpi"
    with pytest.raises(ChannelError, match="2 channels would be DAPI"):
        open_field([path, path], name="image")


@pytest.mark.real
def test_a_bright_field_slide_is_no_field(real_data: Path):
    with pytest.raises(Her2PathError, match="bright-field"):
        open_field([real_data / "slides" / "CMU-1-Small-Region.svs"], name="image")


@pytest.mark.real
def test_the_speckle_pair_states_no_usable_pixel_size(real_data: Path):
    pair = [real_data / "speckles" / f"{name}.tif" for name in ("hoechst", "h2ax")]
    with open_field(pair, name="image", channels=("dapi", "her2")) as field:
        assert field.pixel_size is None
        assert field.size_px0 == (1200, 1000)
