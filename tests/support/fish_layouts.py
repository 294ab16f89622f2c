"""Every layout of files that a fluorescence image may come in."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import tifffile

from tests.support.fish_fields import write_ome

ROLES = ("dapi", "her2", "cep17")


def write_layout(  # noqa: PLR0911  (one return a layout)
    layout: str, folder: Path, planes: npt.NDArray[np.uint16]
) -> tuple[list[Path], tuple[str, ...]]:
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
