"""Pictures that contradict the axes of their file: planes as channels, channels as planes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tifffile

from her2path.domain.ish import IshGroup
from her2path.errors import ChannelError, UnsuitableImageError
from her2path.imaging.phantoms.fish import FishPhantomSpec, render_fish, spec_for_group
from her2path.io.fields.opening import open_field
from tests.support.fish_fields import write_ome

ROLES = ("dapi", "her2", "cep17")
SPEC = spec_for_group(IshGroup.GROUP_5, FishPhantomSpec(seed=512_000, width_px=320, height_px=320))


@pytest.fixture(scope="module")
def stack():
    """Counts (3, 5, M, N): three channels of five focus planes."""
    return render_fish(replace(SPEC, z_planes=5)).planes


def open_checked(path, *, sheet=()):
    with open_field([path], name="image", channels=sheet, check_axes=True) as field:
        return tuple(channel.role for channel in field.channels), field.z_planes


@pytest.mark.parametrize(
    "over",
    [
        pytest.param({}, id="as delivered"),
        pytest.param({"z_step_um": 1.5}, id="wide steps"),
        pytest.param({"background": 6.0, "noise": 2.0}, id="bright background"),
        pytest.param({"her2_mean": 0.0, "cep17_mean": 0.0}, id="no probe"),
    ],
)
def test_a_stack_with_right_axes_passes(tmp_path, over):
    planes = render_fish(replace(SPEC, z_planes=4, **over)).planes
    path = write_ome(tmp_path / "field.ome.tif", planes, axes="CZYX")
    assert open_checked(path) == (ROLES, 4)


def test_planes_that_fade_out_of_focus_are_still_one_channel(tmp_path, stack):
    faded = (stack * np.array([0.2, 0.45, 1.0, 0.45, 0.2])[None, :, None, None]).astype(np.uint16)
    assert open_checked(write_ome(tmp_path / "field.ome.tif", faded, axes="CZYX")) == (ROLES, 5)


@pytest.mark.parametrize("axes", ["CYX", "pages"])
def test_focus_planes_written_as_channels_are_told_by_their_pictures(tmp_path, stack, axes):
    path = tmp_path / "field.tif"
    if axes == "pages":
        tifffile.imwrite(path, stack[0, :3], photometric="minisblack", metadata=None)
    else:
        tifffile.imwrite(path, stack[0, :3], imagej=True, metadata={"axes": axes})
    with pytest.raises(UnsuitableImageError, match="same picture.*axis z") as caught:
        open_checked(path, sheet=ROLES)
    assert caught.value.code == "axes"


def test_channels_written_as_focus_planes_are_told_by_their_pictures(tmp_path, stack):
    path = tmp_path / "field.tif"
    tifffile.imwrite(path, stack[:, 2], imagej=True, metadata={"axes": "ZYX"})
    with pytest.raises(UnsuitableImageError, match="exchanged"):
        open_checked(path)


@pytest.mark.parametrize("planes", [3, 5])
def test_exchanged_sizes_of_c_and_z_are_told_by_the_pictures(tmp_path, stack, planes):
    path = write_ome(tmp_path / "field.ome.tif", stack[:, :planes], axes="ZCYX", Channel=None)
    with pytest.raises(UnsuitableImageError, match="c and z seem to be exchanged"):
        open_checked(path)


def test_planes_in_another_order_than_the_header_says_are_told_by_the_pictures(tmp_path, stack):
    # Planes lie channel by channel, but the header says focus by focus.
    mixed = stack.reshape(15, 320, 320).reshape(5, 3, 320, 320)
    path = write_ome(tmp_path / "field.ome.tif", mixed, axes="ZCYX")
    with pytest.raises(UnsuitableImageError, match="focus planes show different pictures"):
        open_checked(path)


def test_the_same_file_for_both_probes_is_refused(tmp_path, stack):
    doubled = stack[[0, 1, 1], 2]
    with pytest.raises(ChannelError, match="probe channels show the same picture"):
        open_checked(write_ome(tmp_path / "field.ome.tif", doubled))


def test_of_an_empty_stack_nothing_is_told(tmp_path):
    noise = np.random.default_rng(3).normal(100, 5, (3, 4, 64, 64)).astype(np.uint16)
    assert open_checked(write_ome(tmp_path / "field.ome.tif", noise, axes="CZYX")) == (ROLES, 4)
