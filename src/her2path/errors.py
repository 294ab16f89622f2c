"""Everything that her2path raises on purpose, named after who must act.

An exception means that no answer could be computed.  What *is* an answer ("not evaluable",
"needs ISH") is a value of `her2path.domain` and never an exception.  Every class carries the
exit code that a command ends with; the message says what to do.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

MOST_FAULTS = 100
"""Faults that a message lists; a column in another format has as many as the table has rows."""


class Her2PathError(Exception):
    """Root of every error this package raises on purpose."""

    exit_code = 1


@dataclass
class ConfigError(Her2PathError):
    """The configuration cannot be used; the operator corrects it (all faults at once)."""

    faults: tuple[str, ...]

    exit_code = 2

    def __str__(self) -> str:
        return "the configuration cannot be used:\n" + "\n".join(f"  {f}" for f in self.faults)


@dataclass(frozen=True, slots=True)
class SheetFault:
    """One fault of a sheet: where it stands and what to do about it."""

    row: int
    """Line of the file, 1 = header; 0 = the file as a whole."""
    column: str
    message: str

    def __str__(self) -> str:
        place = f"row {self.row}" if self.row else "file"
        return f"{place}, {self.column}: {self.message}" if self.column else f"{place}: {self.message}"


def _listed(faults: Iterable[object]) -> str:
    lines = [f"  {fault}" for fault in faults]
    more = len(lines) - MOST_FAULTS
    return "\n".join([*lines[:MOST_FAULTS], *([f"  ... and {more} more"] if more > 0 else [])])


@dataclass
class CaseSheetError(Her2PathError):
    """The case sheet, or a table of typed numbers, cannot be used (all faults at once)."""

    faults: tuple[SheetFault, ...]
    what: str = "case sheet"
    """What the operator must correct."""

    exit_code = 3

    def __str__(self) -> str:
        return f"the {self.what} cannot be used:\n{_listed(self.faults)}"


@dataclass
class StudyError(Her2PathError):
    """Several files of a study cannot be used (all faults of all files at once)."""

    errors: tuple[Her2PathError, ...]
    """One a file."""

    @property
    def exit_code(self) -> int:  # type: ignore[override]
        """That of the tables, which the operator corrects, where one of them is faulty."""
        codes = [error.exit_code for error in self.errors]
        return CaseSheetError.exit_code if CaseSheetError.exit_code in codes else codes[0]

    def __str__(self) -> str:
        return "\n".join(map(str, self.errors))


@dataclass
class ReadSheetError(Her2PathError):
    """Read sheets cannot be taken back; the reader or the operator corrects them (all faults at once)."""

    faults: dict[str, tuple[SheetFault, ...]]
    """By the name of the sheet's file."""

    exit_code = 3

    def __str__(self) -> str:
        named = _listed(f"{name}, {fault}" for name, faults in self.faults.items() for fault in faults)
        return f"nothing was taken back; correct these and repeat the command:\n{named}"


@dataclass
class EditsError(Her2PathError):
    """A file of edits from QuPath cannot be taken back; the person who edited corrects it (all faults)."""

    name: str
    """Of the file."""
    image_id: str
    faults: tuple[str, ...]

    exit_code = 3

    def __str__(self) -> str:
        head = f"nothing was taken from {self.name!r} for image {self.image_id!r}"
        return f"{head}; correct these and repeat the command:\n{_listed(self.faults)}"


class SlideError(Her2PathError):
    """An image cannot be measured; scanning or the sheet's row must mend it.

    `code` is the machine-readable reason that reaches `call.json`.
    """

    exit_code = 4
    code = "unreadable_image"


@dataclass
class ImageNotFoundError(SlideError):
    """The file of an image does not exist or may not be read."""

    name: str
    code = "missing_file"

    def __str__(self) -> str:
        return f"the file of image {self.name!r} was not found; correct its path or restore the file"


@dataclass
class UnreadableImageError(SlideError):
    """A file exists, but no reader can decode it."""

    name: str
    detail: str
    code = "unreadable_image"

    def __str__(self) -> str:
        return f"image {self.name!r} cannot be read ({self.detail}); export or scan it again"


@dataclass
class PixelSizeError(SlideError):
    """An image states no usable pixel size, so no length can be measured."""

    name: str
    detail: str
    code = "no_pixel_size"

    def __str__(self) -> str:
        return (
            f"image {self.name!r}: {self.detail}; give the pixel size in µm in column `mpp` of the case sheet"
        )


@dataclass
class UnsuitableImageError(SlideError):
    """An image can be read, but holds nothing that this assay can be measured on."""

    name: str
    detail: str
    code: str = "unsuitable_image"

    def __str__(self) -> str:
        return f"image {self.name!r}: {self.detail}"


@dataclass
class ChannelError(SlideError):
    """The channels of a fluorescence image cannot be told apart safely."""

    name: str
    detail: str
    code = "channels"

    def __str__(self) -> str:
        return (
            f"image {self.name!r}: {self.detail}; name the channels in order in column `channels` "
            "of the case sheet, for example `dapi;her2;cep17`"
        )


@dataclass
class RegionError(SlideError):
    """A region file (QuPath GeoJSON) of an image is broken or empty."""

    name: str
    detail: str
    code = "regions"

    def __str__(self) -> str:
        return f"region file {self.name!r}: {self.detail}; export the regions from QuPath again as GeoJSON"


@dataclass
class LabelError(Her2PathError):
    """A file of labels (QuPath GeoJSON, mask) cannot be used for training."""

    name: str
    detail: str

    exit_code = 3

    def __str__(self) -> str:
        return f"labels {self.name!r}: {self.detail}"


@dataclass
class ArtefactError(Her2PathError):
    """An artefact on disk is not what the step expects; rerun the rule that makes it."""

    name: str
    detail: str
    remedy: str = "delete it and rerun the step that makes it"

    exit_code = 5

    def __str__(self) -> str:
        return f"artefact {self.name!r}: {self.detail}; {self.remedy}"


class OtherVersionError(ArtefactError):
    """An artefact was written by another version of her2path: sound, but not to be read by this one."""


@dataclass
class ModelError(Her2PathError):
    """A model folder is missing, damaged or made for something else."""

    name: str
    detail: str

    exit_code = 6

    def __str__(self) -> str:
        return f"model {self.name!r}: {self.detail}"


@dataclass
class RuleSetError(Her2PathError):
    """A guideline's rules contradict each other or leave a gap: a defect of her2path."""

    detail: str
    rule_ids: tuple[str, ...] = field(default=())

    exit_code = 70

    def __str__(self) -> str:
        rules = ", ".join(self.rule_ids) or "none"
        return f"defect of her2path, please report it: {self.detail} (rules {rules})"
