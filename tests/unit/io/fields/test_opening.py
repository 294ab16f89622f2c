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
    PixelSizeError,
    UnsuitableImageError,
)
from her2path.io.fields.channels import (
    check_probe,
)
from her2path.io.fields.opening import open_field
from her2path.io.slides.source import WorkingBox
from tests.support.fish_fields import write_ome
from tests.support.fish_layouts import LAYOUTS, ROLES, write_layout


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
