"""Classes of labels: QuPath's names, as people and programs spell them."""

import pytest

from her2path.domain.ihc import IhcScore
from her2path.domain.label_classes import LabelClass, label_class


@pytest.mark.parametrize("known", list(LabelClass))
def test_each_class_is_found_by_its_own_name(known):
    assert label_class(known.value) is known


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param("Tumour: 2+", LabelClass.TUMOUR_2, id="British spelling"),
        pytest.param("tumor:3+", LabelClass.TUMOUR_3, id="small letters without the space"),
        pytest.param("Tumor: Negative", LabelClass.TUMOUR_0, id="QuPath's H-score class of unstained cells"),
        pytest.param("immune  cells ", LabelClass.IMMUNE, id="stray spaces"),
        pytest.param("Ignore", LabelClass.IGNORE, id="without the asterisk"),
        pytest.param("Lymphocyte", None, id="a class of another project"),
        pytest.param("", None, id="no name"),
    ],
)
def test_spellings_of_a_class(words, expected):
    assert label_class(words) is expected


def test_only_tumour_of_a_stated_staining_has_a_score():
    assert [item.score for item in LabelClass][:4] == list(IhcScore)
    assert {item.score for item in list(LabelClass)[4:]} == {None}


def test_no_two_classes_are_drawn_alike():
    assert len({item.rgb for item in LabelClass}) == len(LabelClass)


def test_tumour_is_tumour_with_and_without_a_stated_staining():
    assert [item for item in LabelClass if item.is_tumour] == list(LabelClass)[:5]
