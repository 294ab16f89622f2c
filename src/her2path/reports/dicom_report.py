"""The score of a slide as a DICOM Comprehensive 3D SR after template TID 1500.

One group of measurements for the slide as a whole, one for each segment (drawn tumour, control tissue,
artefacts) and one for each hot spot, whose outline is given in mm in the slide's frame of reference.
Nothing that was not measured appears.  The document is unverified and preliminary: a pathologist signs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from highdicom.seg import Segmentation
from highdicom.sr import (
    CodedConcept,
    Comprehensive3DSR,
    DeviceObserverIdentifyingAttributes,
    ImageRegion3D,
    Measurement,
    MeasurementProperties,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ObservationContext,
    ObserverContext,
    PlanarROIMeasurementsAndQualitativeEvaluations,
    QualitativeEvaluation,
    ReferencedSegment,
    SourceImageForMeasurementGroup,
    SourceSeriesForSegmentation,
    SubjectContext,
    SubjectContextSpecimen,
    TrackingIdentifier,
    VolumetricROIMeasurementsAndQualitativeEvaluations,
)
from highdicom.sr.templates import AlgorithmIdentification
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from her2path.io.control_entries import ControlEntry
from her2path.io.documents import IhcScoreResult, SheetFacts
from her2path.io.hot_spot_areas import outline_of
from her2path.io.score_entries import HotSpotEntry, Percentage
from her2path.reports.codes import IHC_ANSWERS, IHC_BREAST, IHC_TISSUE
from her2path.reports.dicom_concepts import (
    ABNORMAL,
    IMMUNOHISTOCHEMISTRY,
    LEARNED,
    MANUFACTURER,
    NEOPLASM,
    NO_UNITS,
    NUMBER,
    PER_CENT,
    SCORE,
    SQUARE_MM,
    loinc,
    own,
)
from her2path.reports.dicom_source import Origin, placement_of, without_clock
from her2path.reports.number_names import NUMBER_LABELS

Group = (
    MeasurementsAndQualitativeEvaluations
    | PlanarROIMeasurementsAndQualitativeEvaluations
    | VolumetricROIMeasurementsAndQualitativeEvaluations
)
_LONGEST_MEANING = 64


@dataclass(frozen=True, slots=True)
class SegmentArea:
    """A segment of a segmentation, and how large it is."""

    segmentation: Segmentation
    number: int
    area_mm2: float


@dataclass(frozen=True, slots=True)
class Scored:
    """A slide and what was measured on it."""

    sheet: SheetFacts
    result: IhcScoreResult
    of_breast: bool
    """Whether the codes of breast cancer specimens fit."""
    areas: Mapping[str, SegmentArea]
    """By the label of the segment."""


def measurement_report(origin: Origin, scored: Scored, *, evidence: Sequence[Dataset]) -> Comprehensive3DSR:
    """Make the document.

    Parameters
    ----------
    origin : Origin
    scored : Scored
    evidence : sequence of Dataset
        The other objects of the slide.
    """
    groups: list[Group] = [_slide_group(origin, scored)]
    groups += [_segment_group(origin, label, area, scored) for label, area in scored.areas.items()]
    groups += [_spot_group(origin, spot, rank) for rank, spot in enumerate(scored.result.hot_spots, start=1)]
    content = MeasurementReport(
        observation_context=_context(origin),
        procedure_reported=IMMUNOHISTOCHEMISTRY,
        imaging_measurements=groups,
        referenced_images=[origin.finest],
    )
    made = Comprehensive3DSR(
        evidence=[*origin.levels, *evidence],
        content=content[0],
        is_complete=True,
        is_final=False,
        is_verified=False,
        **origin.head("report", number=4, description="her2path: HER2 IHC measurements"),
    )
    return without_clock(made)


def _context(origin: Origin) -> ObservationContext:
    specimen = origin.finest.SpecimenDescriptionSequence[0]
    kinds = specimen.get("SpecimenTypeCodeSequence")
    return ObservationContext(
        observer_device_context=ObserverContext(
            observer_type=codes.DCM.Device,
            observer_identifying_attributes=DeviceObserverIdentifyingAttributes(
                uid=origin.device_uid,
                name=MANUFACTURER,
                manufacturer_name=MANUFACTURER,
                model_name=MANUFACTURER,
                serial_number=origin.version,
            ),
        ),
        subject_context=SubjectContext(
            subject_class=codes.DCM.Specimen,
            subject_class_specific_context=SubjectContextSpecimen(
                uid=specimen.SpecimenUID,
                identifier=specimen.SpecimenIdentifier,
                container_identifier=origin.finest.ContainerIdentifier,
                specimen_type=CodedConcept.from_dataset(kinds[0]) if kinds else None,
            ),
        ),
    )


def _slide_group(origin: Origin, scored: Scored) -> MeasurementsAndQualitativeEvaluations:
    result = scored.result
    finest = origin.finest
    learned = result.model
    return MeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(origin.uid("slide"), "HER2 IHC of the slide"),
        finding_category=ABNORMAL,
        finding_type=NEOPLASM,
        algorithm_id=AlgorithmIdentification(
            name=MANUFACTURER if learned is None else f"{MANUFACTURER} {learned.id}",
            version=origin.version,
            parameters=[f"calibration={result.calibration}", f"guideline={scored.sheet.guideline}"],
            manufacturer=MANUFACTURER,
            family=None if learned is None else LEARNED,
        ),
        measurements=list(_slide_numbers(result)),
        qualitative_evaluations=list(_slide_words(scored)),
        source_images=[SourceImageForMeasurementGroup(finest.SOPClassUID, finest.SOPInstanceUID)],
    )


def _slide_numbers(result: IhcScoreResult) -> Iterator[Measurement]:
    yield _number("scored_cells", result.scored_cells, NUMBER)
    for reason, cells in result.excluded_cells.items():
        name = own(f"excluded_{reason}", f"Cells not scored: {reason.replace('_', ' ')}")
        yield Measurement(name, cells, NUMBER)
    for quantity, share in {**result.percentages, **result.compared}.items():
        yield from _share(quantity, share)
    ends = result.h_score_low, result.h_score_high
    yield _number("h_score", result.h_score, SCORE, ends=ends)
    yield _number("limit_of_blank_pct", result.limit_of_blank_pct, PER_CENT)
    for score, chance in result.score_probabilities.items():
        name = own(f"probability_{score.replace('+', 'plus')}", f"Samples of the tissue with score {score}")
        yield Measurement(name, chance, NO_UNITS)


def _share(quantity: str, share: Percentage) -> Iterator[Measurement]:
    yield _number(f"pct_{quantity}", share.pct, PER_CENT, ends=(share.low_pct, share.high_pct))
    words = NUMBER_LABELS.get(f"pct_{quantity}", quantity.replace("_", " "))
    yield Measurement(own(f"cells_{quantity}", _meaning(f"Cells: {words}")), share.cells, NUMBER)


def _number(name: str, value: float, unit: Code, *, ends: tuple[float, float] | None = None) -> Measurement:
    concept = own(name, _meaning(NUMBER_LABELS.get(name, name.replace("_", " "))))
    if ends is None:
        return Measurement(concept, value, unit)
    properties = MeasurementProperties(
        upper_measurement_uncertainty=ends[1] - value, lower_measurement_uncertainty=value - ends[0]
    )
    for item in properties:
        # TID 310: in the units of the measurement itself; highdicom writes none.
        item.MeasuredValueSequence[0].MeasurementUnitsCodeSequence = [CodedConcept.from_code(unit)]
    return Measurement(concept, value, unit, method=_INTERVAL, properties=properties)


_INTERVAL = own("interval_95", "Ranges are a 95 % interval that knows of patches")


def _meaning(words: str) -> str:
    return words[:_LONGEST_MEANING]


def _slide_words(scored: Scored) -> Iterator[QualitativeEvaluation]:
    result = scored.result
    question = loinc(IHC_BREAST if scored.of_breast else IHC_TISSUE)
    yield QualitativeEvaluation(question, loinc(IHC_ANSWERS[result.score]))
    yield QualitativeEvaluation(
        own("guideline", "Guideline that the score was read by"),
        own(scored.sheet.guideline, _meaning(scored.sheet.guideline.replace("_", " "))),
    )
    yield QualitativeEvaluation(
        own("tumour_selection", "How tumour cells were selected"),
        own(f"selection_{result.tumour_selection}", result.tumour_selection),
    )
    for flag in result.flags:
        yield QualitativeEvaluation(
            own("flag", "Flag of the score"), own(flag, _meaning(flag.replace("_", " ")))
        )
    if result.edits is not None:
        yield QualitativeEvaluation(own("edited_by_person", "Edited by a person"), codes.SCT.Yes)
        if result.edits.score_before is not None:
            before = own("score_before_edits", "IHC score before the edits")
            yield QualitativeEvaluation(before, loinc(IHC_ANSWERS[result.edits.score_before]))


def _segment_group(
    origin: Origin, label: str, area: SegmentArea, scored: Scored
) -> VolumetricROIMeasurementsAndQualitativeEvaluations:
    described = area.segmentation.SegmentSequence[area.number - 1]
    measurements = [Measurement(codes.SCT.Area, area.area_mm2, SQUARE_MM)]
    words = []
    if label.startswith("Control "):
        control = scored.result.control[int(label.removeprefix("Control ")) - 1]
        measurements += _control_numbers(control)
        words = list(_control_words(control, of_breast=scored.of_breast))
    return VolumetricROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(described.TrackingUID, described.TrackingID),
        referenced_segment=ReferencedSegment(
            sop_class_uid=area.segmentation.SOPClassUID,
            sop_instance_uid=area.segmentation.SOPInstanceUID,
            segment_number=area.number,
            source_series=SourceSeriesForSegmentation(origin.finest.SeriesInstanceUID),
        ),
        finding_category=CodedConcept.from_dataset(described.SegmentedPropertyCategoryCodeSequence[0]),
        finding_type=_plain(described.SegmentedPropertyTypeCodeSequence[0]),
        measurements=measurements,
        qualitative_evaluations=words,
    )


def _plain(coded: Dataset) -> CodedConcept:
    """Take a concept without its modifier, which the segment itself carries."""
    return CodedConcept(coded.CodeValue, coded.CodingSchemeDesignator, coded.CodeMeaning)


def _control_numbers(control: ControlEntry) -> list[Measurement]:
    shares = [_number(f"pct_{name}", share, PER_CENT) for name, share in control.percentages.items()]
    return [_number("scored_cells", control.cells, NUMBER), *shares]


def _control_words(control: ControlEntry, *, of_breast: bool) -> Iterator[QualitativeEvaluation]:
    if control.score is not None:
        question = loinc(IHC_BREAST if of_breast else IHC_TISSUE)
        yield QualitativeEvaluation(question, loinc(IHC_ANSWERS[control.score]))
    if control.expected is not None:
        expected = own("control_expected", "Score that the control should have")
        yield QualitativeEvaluation(expected, loinc(IHC_ANSWERS[control.expected]))
    verdict = own(f"control_{control.verdict}", _meaning(str(control.verdict).replace("_", " ")))
    yield QualitativeEvaluation(own("control_verdict", "Verdict on the control"), verdict)


def _spot_group(
    origin: Origin, spot: HotSpotEntry, rank: int
) -> PlanarROIMeasurementsAndQualitativeEvaluations:
    finest = origin.finest
    size_px0 = int(finest.TotalPixelMatrixColumns), int(finest.TotalPixelMatrixRows)
    left, top, right, bottom = outline_of(spot, size_px0).bounds
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    outline = placement_of(finest).mm(np.array([*corners, corners[0]]))
    shares = [_number(f"pct_{name}", share, PER_CENT) for name, share in spot.percentages.items()]
    return PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(origin.uid(f"hot spot {rank}"), f"Hot spot {rank}"),
        referenced_region=ImageRegion3D(
            graphic_type="POLYGON",
            graphic_data=np.column_stack([outline, np.zeros(len(outline))]),
            frame_of_reference_uid=finest.FrameOfReferenceUID,
        ),
        finding_category=ABNORMAL,
        finding_type=own("hot_spot", "Area to review"),
        measurements=[
            _number("scored_cells", spot.cells, NUMBER),
            Measurement(own("pct_deciding", "Cells that decided the score"), spot.pct, PER_CENT),
            _number("h_score", spot.h_score, SCORE),
            *shares,
        ],
    )
