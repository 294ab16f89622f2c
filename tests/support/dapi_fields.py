"""The halves of the real fields `dapi_nuclei`: one to develop on, one held out.

The rule was fixed after a look at the pictures and before anything was measured on the halves: the
fields are of seven kinds (fly embryos, mouse tissue, two sorts of cultured cells, ...), and a kind
has one size of picture.  Sorted by size (height, width) and name, every other field, beginning
with the first, is for development; the rest is held out and looked at only to be reported.
"""

from __future__ import annotations

DEVELOPMENT = frozenset(
    {
        "1400420310c9",
        "1b518cd2ea84",
        "20e209f6ffa1",
        "2dd9d8c797fc",
        "53ad09e43487",
        "5c235b945b25",
        "6f8197baf738",
        "76c4f14e3521",
        "80632d6be60c",
        "866a8cba7bfe",
        "a102535b0e88",
        "ad9d305cbf19",
        "b3b1626f8ad1",
        "d256b32adda3",
        "df53d0b6c2c4",
        "f29fd9c52e04",
        "f81ca7ee25e7",
    }
)
"""Names (file stems) of the fields that parameters may be chosen on."""
HELD_OUT = frozenset(
    {
        "0402a81e7526",
        "193ffaa5272d",
        "20c37b1ad2f5",
        "2dec81a678dd",
        "40b00d701695",
        "538b7673d507",
        "58406ed8ef94",
        "5bb8508ff8ec",
        "66236902b874",
        "700afb1cd830",
        "98c5ead89cd0",
        "a1777737270c",
        "a5e695fce80d",
        "a6515d730778",
        "cb4df20a83b2",
        "dbe5ad05b6f8",
    }
)
"""Names of the fields that no parameter was chosen on."""
