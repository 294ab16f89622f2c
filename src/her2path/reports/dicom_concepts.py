"""Coded concepts of DICOM objects: those of the standard where it has one, else her2path's own.

Codes of SNOMED CT (SCT) and of DICOM (DCM) are only such as PS3.16 lists, which may be used within DICOM
objects without a licence of their own; LOINC codes are those of `her2path.reports.codes`, which were
checked one by one.  What has no code in any of them is named in the scheme ``99HER2PATH`` by its name in
her2path's tables and documents.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np
from highdicom import AlgorithmIdentificationSequence
from highdicom.coding_schemes import CodingSchemeIdentificationItem
from highdicom.color import CIELabColor
from highdicom.sr import CodedConcept
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from her2path.reports.codes import LOCAL
from her2path.reports.codes import Code as AnyCode

SCHEME = "99HER2PATH"
MANUFACTURER = "her2path"

PER_CENT = Code("%", "UCUM", "Percent")
NO_UNITS = Code("1", "UCUM", "no units")
SQUARE_UM = Code("um2", "UCUM", "square micrometer")
SQUARE_MM = Code("mm2", "UCUM", "square millimeter")
MICROMETER = Code("um", "UCUM", "micrometer")
NUMBER = Code("{#}", "UCUM", "number")
SCORE = Code("{score}", "UCUM", "score")

CELL = Code("4421005", "SCT", "Cell")
NEOPLASM = Code("108369006", "SCT", "Neoplasm")
TISSUE = Code("85756007", "SCT", "Tissue")
ABNORMAL = Code("49755003", "SCT", "Morphologically Abnormal Structure")
ANATOMICAL = Code("91723000", "SCT", "Anatomical Structure")
SPATIAL = Code("309825002", "SCT", "Spatial and Relational Concept")
NOT_OF_INTEREST = Code("130751", "DCM", "Tissue not of interest")
REFERENCE_REGION = Code("C94970", "NCIt", "Reference Region")
IMAGE_ARTIFACT = Code("111207", "DCM", "Image artifact(s)")
IMMUNOHISTOCHEMISTRY = Code("117617002", "SCT", "Immunohistochemistry")
AREA = codes.SCT.Area
IMAGE_PROCESSING = codes.DCM.MorphologicalOperations
LEARNED = codes.DCM.ArtificialIntelligence


def own(code: str, meaning: str) -> CodedConcept:
    """Name something by her2path's own word; one of more than 16 letters becomes a long code value."""
    return CodedConcept(code, SCHEME, meaning)


def loinc(code: AnyCode) -> CodedConcept:
    """Write a checked LOINC code as DICOM does; LOINC's scheme is called LN."""
    return CodedConcept(code.code, "LN", code.display)


def scheme() -> CodingSchemeIdentificationItem:
    """Say whose codes those of `SCHEME` are."""
    return CodingSchemeIdentificationItem(
        designator=SCHEME,
        name="her2path",
        registry=None,
        uid=LOCAL.removeprefix("urn:oid:"),
        responsible_organization=MANUFACTURER,
    )


@dataclass(frozen=True, slots=True)
class Measure:
    """A number of each cell."""

    name: CodedConcept
    unit: Code


MEASURES: Mapping[str, Measure] = MappingProxyType(
    {
        "cell_id": Measure(own("cell_id", "Number of the cell"), NO_UNITS),
        "membrane_completeness": Measure(own("membrane_completeness", "Membrane: stained share"), NO_UNITS),
        "membrane_connectivity": Measure(own("membrane_connectivity", "Membrane: connectivity"), NO_UNITS),
        "membrane_mean_od": Measure(own("membrane_mean_od", "Membrane: DAB optical density, mean"), NO_UNITS),
        "membrane_od": Measure(own("membrane_od", "Membrane: DAB optical density, median"), NO_UNITS),
        "membrane_contrast_od": Measure(
            own("membrane_contrast_od", "Membrane: DAB optical density over cytoplasm"), NO_UNITS
        ),
        "membrane_excess_od_um": Measure(
            own("membrane_excess_od_um", "Membrane: DAB over cytoplasm, summed across"), MICROMETER
        ),
        "membrane_thickness_um": Measure(
            own("membrane_thickness_um", "Membrane: thickness, mean"), MICROMETER
        ),
        "membrane_certainty": Measure(own("membrane_certainty", "Membrane: probability, mean"), NO_UNITS),
        "cytoplasm_od": Measure(own("cytoplasm_od", "Cytoplasm: DAB optical density, mean"), NO_UNITS),
        "nucleus_od": Measure(own("nucleus_od", "Nucleus: DAB optical density, mean"), NO_UNITS),
        "nucleus_area_um2": Measure(own("nucleus_area_um2", "Nucleus: area"), SQUARE_UM),
        "cell_area_um2": Measure(CodedConcept.from_code(AREA), SQUARE_UM),
    }
)
"""By the column of `ihc_cells`; an optical density is a logarithm and has no unit."""


def algorithm(version: str, *, model: str | None) -> AlgorithmIdentificationSequence:
    """Say which program, or which learned model of it, found something."""
    return AlgorithmIdentificationSequence(
        name="her2path" if model is None else f"her2path {model}",
        family=IMAGE_PROCESSING if model is None else LEARNED,
        version=version,
        source=MANUFACTURER,
    )


def display_colour(rgb: tuple[int, int, int]) -> CIELabColor:
    """Turn sRGB (0 to 255) into the colour space in which DICOM recommends how to draw.

    Examples
    --------
    >>> colour = display_colour((255, 255, 255))
    >>> round(colour.l_star), round(colour.a_star), round(colour.b_star)
    (100, 0, 0)
    """
    pixel = np.array([[rgb]], np.float32) / 255
    lightness, a, b = cv2.cvtColor(pixel, cv2.COLOR_RGB2LAB)[0, 0].tolist()
    return CIELabColor(min(lightness, 100.0), a, b)
