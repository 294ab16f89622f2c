"""ISH results as the guidelines print them, written from the literature and not from the code.

Arrays of integer totals go in, words come out; nothing is divided.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]
Words = npt.NDArray[Any]


def five_groups(nuclei: int, her2: Numbers, cep17: Numbers) -> Words:
    """Breast 2018 and 2023; 2013 and 2015 read three results from the same groups."""
    is_ratio_2, is_4, is_6 = her2 >= 2 * cep17, her2 >= 4 * nuclei, her2 >= 6 * nuclei
    return np.select(
        [is_ratio_2 & is_4, is_ratio_2 & ~is_4, ~is_ratio_2 & is_6, ~is_ratio_2 & is_4],
        ["1", "2", "3", "4"],
        "5",
    )


def breast_2007_dual(nuclei: int, her2: Numbers, cep17: Numbers) -> Words:
    """Breast 2007: 1.8 to 2.2 equivocal, both ends included."""
    return np.select(
        [10 * her2 > 22 * cep17, 10 * her2 < 18 * cep17], ["amplified", "not_amplified"], "equivocal"
    )


def single_since_2013(nuclei: int, her2: Numbers) -> Words:
    """Breast 2013 to 2023: 6.0 is positive, 4.0 is equivocal."""
    return np.select([her2 >= 6 * nuclei, her2 >= 4 * nuclei], ["amplified", "equivocal"], "not_amplified")


def breast_2007_single(nuclei: int, her2: Numbers) -> Words:
    """Breast 2007: 4 to 6 equivocal, both ends included."""
    return np.select([her2 > 6 * nuclei, her2 < 4 * nuclei], ["amplified", "not_amplified"], "equivocal")


def stomach(nuclei: int, her2: Numbers, cep17: Numbers) -> Words:
    """Stomach and oesophagus 2016: the ratio, and the copies where there are three or more CEP17."""
    by_copies = (her2 < 2 * cep17) & (cep17 >= 3 * nuclei)
    return np.select(
        [her2 >= 2 * cep17, by_copies & (her2 > 6 * nuclei), by_copies & (her2 >= 4 * nuclei)],
        ["amplified", "amplified", "equivocal"],
        "not_amplified",
    )


def ratio_alone(_nuclei: int, her2: Numbers, cep17: Numbers) -> Words:
    """Colon 2019 and endometrium: a ratio of 2.0 or more, whatever the copies."""
    return np.where(her2 >= 2 * cep17, "amplified", "not_amplified")


Dual = Callable[[int, Numbers, Numbers], Words]
DUAL: Mapping[str, Dual] = {
    "breast_2007": breast_2007_dual,
    "breast_2013": five_groups,
    "breast_2015": five_groups,
    "breast_2018": five_groups,
    "breast_2023": five_groups,
    "gastroesophageal_2016": stomach,
    "colorectal_harmonised_2019": ratio_alone,
    "endometrial_serous_2022": ratio_alone,
    "pantumour_tdxd_2024": stomach,
    "biliary_zanidatamab_2024": stomach,
}
"""Dual-probe table of each guideline; HERACLES asks for a share of the nuclei instead."""
SINGLE: Mapping[str, Callable[[int, Numbers], Words]] = {
    "breast_2007": breast_2007_single,
    "breast_2013": single_since_2013,
    "breast_2015": single_since_2013,
    "breast_2018": single_since_2013,
    "breast_2023": single_since_2013,
}
"""Single-probe table; the other guidelines have none."""
