"""Distances are stated to the cut-points that concern the specimen, and to no others."""

from __future__ import annotations

import pytest

from her2path.domain.case import Specimen
from her2path.domain.distance import ihc_distances
from her2path.domain.guideline.registry import GUIDELINES
from her2path.domain.ihc import IhcReading, IhcTally, Intensity, Pattern, Reactivity
from her2path.domain.reading import ihc_numbers

TALLY = IhcTally({(Intensity.STRONG, Pattern.COMPLETE): 8, (Intensity.NONE, Pattern.NONE): 92})
CLUSTERS = dict.fromkeys((Reactivity.STRONG, Reactivity.WEAK_MODERATE, Reactivity.FAINT), 6)
STOMACH = GUIDELINES["gastroesophageal_2016"]


def reading(specimen: Specimen) -> IhcReading:
    return IhcReading(TALLY, specimen=specimen, clusters=CLUSTERS)


@pytest.mark.parametrize("specimen", [Specimen.RESECTION, Specimen.BIOPSY])
def test_a_resection_keeps_its_distance_from_percentages_and_a_biopsy_from_clusters(specimen):
    found = {d.quantity for d in ihc_distances(reading(specimen), STOMACH) if "blank" not in d.quantity}

    wanted = "cluster_" if specimen is Specimen.BIOPSY else "pct_"
    assert found
    assert all(name.startswith(wanted) for name in found)


def test_the_numbers_of_a_resection_name_no_cluster():
    numbers = ihc_numbers(reading(Specimen.RESECTION), STOMACH)

    assert numbers["pct_strong"] == 8
    assert not [name for name in numbers if name.startswith("cluster_")]
    assert ihc_numbers(reading(Specimen.BIOPSY), STOMACH)["cluster_strong"] == 6


def test_a_cut_of_every_specimen_concerns_every_specimen():
    breast = GUIDELINES["breast_2018"]
    assert all(cut.only is None for cut in breast.ihc_cuts)
    assert len(ihc_distances(reading(Specimen.BIOPSY), breast)) == len(
        ihc_distances(reading(Specimen.RESECTION), breast)
    )
