"""Which fluorescence channel shows what: told by the sheet, by name, by wavelength or by colour.

Nothing is guessed from the pixels.  HER2 is taken as the orange to red probe and CEP17 as the
green one (PathVysion, IQFISH and most kits); kits that label the other way round must be named
in the sheet, and dyes that only such kits use are refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from her2path.domain.ish import Probe
from her2path.errors import ChannelError
from her2path.io.documents import Channel

Role = Literal["dapi", "her2", "cep17", "other"]
Origin = Literal["sheet", "name", "wavelength", "file_name", "rgb"]

_TARGETS: dict[str, Role] = {
    "dapi": "dapi",
    "hoechst": "dapi",
    "her2": "her2",
    "her2neu": "her2",
    "erbb2": "her2",
    "cep17": "cep17",
    "cen17": "cep17",
    "chr17": "cep17",
    "d17z1": "cep17",
    **dict.fromkeys(("tp53", "p53", "d17s122", "d17s379", "rara", "rai1", "sms", "lis1", "top2a"), "other"),
}
"""Loci; those of a third probe (another gene of chromosome 17 as control) are carried along, not counted."""
_RED_ALEXA = ("546", "555", "568", "594")
_DYES: dict[str, Role] = {
    **dict.fromkeys(("blue", "spectrumblue"), "dapi"),
    **dict.fromkeys(("orange", "spectrumorange", "red", "spectrumred", "texasred", "txred", "txr"), "her2"),
    **dict.fromkeys(("cy3", "tritc", "rhodamine", *(f"alexa{n}" for n in _RED_ALEXA)), "her2"),
    **dict.fromkeys((f"af{n}" for n in _RED_ALEXA), "her2"),
    **dict.fromkeys((f"alexafluor{n}" for n in _RED_ALEXA), "her2"),
    **dict.fromkeys(("spor", "spo", "platinumbright550"), "her2"),
    **dict.fromkeys(("spgr", "spg", "platinumbright495", "alexafluor488"), "cep17"),
    **dict.fromkeys(("green", "spectrumgreen", "fitc", "gfp", "egfp", "cy2", "alexa488", "af488"), "cep17"),
    **dict.fromkeys(
        ("cy5", "cy7", "spectrumaqua", "aqua", "spectrumgold", "gold", "spectrumfarred"), "other"
    ),
    **dict.fromkeys(("farred", "alexa647", "af647", "alexafluor647", "platinumbright415"), "other"),
    **dict.fromkeys(("brightfield", "transmitted", "dic"), "other"),
}
_REVERSED_KIT = frozenset({"zygreen", "zyorange"})
"""Dyes of ZytoLight SPEC ERBB2/CEN 17, which labels HER2 green and the centromere orange."""
_KNOWN = frozenset({*_TARGETS, *_DYES, *_REVERSED_KIT})
_SPELT = {
    **{word.lower(): word for word in ("DAPI", "Hoechst", "HER2", "ERBB2", "CEP17", "CEN17", "D17Z1")},
    **{word.lower(): word for word in ("TP53", "P53", "D17S122", "D17S379", "RARA", "RAI1", "SMS")},
    **{word.lower(): word for word in ("LIS1", "TOP2A")},
    **{f"spectrum{c.lower()}": f"Spectrum{c}" for c in ("Blue", "Orange", "Red", "Green", "Aqua", "Gold")},
    "spectrumfarred": "SpectrumFarRed",
    "farred": "far red",
    **{word.lower(): word for word in ("Cy2", "Cy3", "Cy5", "Cy7", "TRITC", "FITC", "GFP", "EGFP", "DIC")},
    **{word.lower(): word for word in ("TxRed", "TXR", "ZyGreen", "ZyOrange")},
    "her2neu": "HER2/neu",
    "texasred": "Texas Red",
    **{f"alexa{n}": f"Alexa {n}" for n in (*_RED_ALEXA, "488", "647")},
    **{f"af{n}": f"AF{n}" for n in (*_RED_ALEXA, "488", "647")},
    **{f"alexafluor{n}": f"Alexa Fluor {n}" for n in (*_RED_ALEXA, "488", "647")},
    **{f"platinumbright{n}": f"PlatinumBright {n}" for n in ("415", "495", "550")},
    **{word.lower(): word for word in ("SpOr", "SpGr", "SpO", "SpG", "Chr17")},
}
"""How known words are written where they are not just small letters."""

_COLOURS: dict[str, Role] = {"orange": "her2", "red": "her2", "green": "cep17"}
"""Colours that the sheet may state of a probe, by the role that dyes of it usually have."""
_EMISSION: tuple[tuple[float, float, Role], ...] = (
    (410.0, 490.0, "dapi"),  # DAPI peaks at 461 nm
    (495.0, 550.0, "cep17"),  # FITC 519, SpectrumGreen 524
    (560.0, 640.0, "her2"),  # Cy3 570, SpectrumOrange 588, Texas Red 615
    (640.0, 900.0, "other"),  # Cy5 670
)


@dataclass(frozen=True, slots=True)
class ChannelHint:
    """What a file says of one of its channels."""

    name: str = ""
    emission_nm: float | None = None
    file_stem: str = ""
    """Stem of the file where each channel has a file of its own."""


def role_of_name(name: str) -> Role | None:
    """Role that a channel name states; None if it states none or several.

    The name of the target (HER2, CEP17) outweighs that of the dye.

    Examples
    --------
    >>> role_of_name("Spectrum Orange"), role_of_name("HER-2 (FITC)"), role_of_name("Channel 1")
    ('her2', 'her2', None)
    """
    return _one_role(name, _TARGETS) or _one_role(name, _DYES)


def known_words(text: str) -> str:
    """Targets and dyes that a text names, in their usual spelling and order; nothing else of it.

    Channel and file names are free text that may identify a person, so no more of them is ever
    stored or shown.

    Examples
    --------
    >>> known_words("spectrum orange (HER-2) Jane Doe 1950-01-01"), known_words("Jane Doe")
    ('SpectrumOrange HER2', '')
    """
    single = _split(text)
    found: list[str] = []
    start = 0
    while start < len(single):
        # The longest first: "spectrum orange" is one dye.
        for end in range(min(start + 3, len(single)), start, -1):
            if (word := _unnumbered("".join(single[start:end]))) in _KNOWN:
                if (spelt := _SPELT.get(word, word)) not in found:
                    found.append(spelt)
                start = end
                break
        else:
            start += 1
    return " ".join(found)


def role_of_emission(emission_nm: float) -> Role | None:
    """Role that an emission wavelength (nm) states; None between the bands."""
    return next((role for low, high, role in _EMISSION if low <= emission_nm < high), None)


def resolve_roles(hints: Sequence[ChannelHint], *, image: str, sheet: tuple[str, ...]) -> tuple[Channel, ...]:
    """Give every channel its role, or refuse.

    Parameters
    ----------
    hints : sequence of ChannelHint
        One per channel, in order.
    image : str
        Image id for messages.
    sheet : tuple of str
        Words of the sheet's `channels` column in the same order (``her2``, ``her2:green``); empty =
        not given.

    Raises
    ------
    ChannelError
        The sheet's roles do not fit the number of channels, a role is given twice, no channel
        shows the nuclei, or name and wavelength contradict each other.
    """
    if sheet and len(sheet) != len(hints):
        raise ChannelError(image, f"the sheet names {len(sheet)} channels, but the image has {len(hints)}")
    unique_stems = _without_common_words([hint.file_stem for hint in hints])
    channels = []
    origin: Origin
    for index, (hint, stem_words) in enumerate(zip(hints, unique_stems, strict=True)):
        if sheet:
            role, origin = _sheet_role(sheet[index], image), "sheet"
        else:
            role, origin = _found_role(hint, stem_words, image)
        label = _label(hint, stem_words, index)
        channels.append(
            Channel(index=index, name=label, role=role, origin=origin, emission_nm=hint.emission_nm)
        )
    check_roles(channels, image=image)
    return tuple(channels)


def rgb_channels(*, image: str, sheet: tuple[str, ...]) -> tuple[Channel, ...]:
    """Roles of the colours of an RGB capture: red HER2, green CEP17, blue DAPI unless the sheet differs."""
    if sheet:
        hints = [ChannelHint(name=colour) for colour in ("red", "green", "blue")]
        return resolve_roles(hints, image=image, sheet=sheet)
    roles: tuple[tuple[str, Role], ...] = (("red", "her2"), ("green", "cep17"), ("blue", "dapi"))
    return tuple(Channel(index=i, name=n, role=r, origin="rgb") for i, (n, r) in enumerate(roles))


def check_roles(channels: Sequence[Channel], *, image: str) -> None:
    """Refuse channels without exactly one DAPI or with a probe given twice."""
    named: list[str] = [channel.role for channel in channels]
    for role, label in (("dapi", "DAPI"), ("her2", "HER2"), ("cep17", "CEP17")):
        if named.count(role) > 1:
            twice = ", ".join(repr(c.name) for c in channels if c.role == role)
            raise ChannelError(image, f"{named.count(role)} channels would be {label} ({twice})")
    if "dapi" not in named:
        seen = ", ".join(repr(c.name) for c in channels)
        raise ChannelError(image, f"no DAPI channel found among {seen}, so nuclei cannot be found")


def check_probe(channels: Sequence[Channel], *, probe: Probe, image: str) -> None:
    """Refuse an image that lacks a channel of its assay: HER2 always, CEP17 with a dual probe.

    Raises
    ------
    ChannelError
        A channel that the assay counts is missing.
    """
    check_roles(channels, image=image)
    roles = {channel.role for channel in channels}
    if "her2" not in roles:
        raise ChannelError(image, "no HER2 channel found")
    if probe is Probe.DUAL and "cep17" not in roles:
        raise ChannelError(image, "no CEP17 channel found; a single-probe assay needs `probe` = single")


def check_stated(channels: Sequence[Channel], *, stated: tuple[str, ...], image: str) -> None:
    """Refuse roles of the sheet that contradict what the file says of its channels.

    A kit that labels HER2 green and the centromere orange must be stated as such in the sheet
    (``her2:green``), or be named in the file (by its target, or ZyGreen and ZyOrange): an
    exchange of two columns by mistake would turn the ratio round.

    Parameters
    ----------
    channels : sequence of Channel
        Channels with the roles of the sheet, and what the file calls them.
    stated : tuple of str
        Words of the sheet's `channels` column in the same order; empty = not given.
    image : str
        Image id for messages.

    Raises
    ------
    ChannelError
        A channel is something else by its name or wavelength.
    """
    for channel, word in zip(channels, stated, strict=False):
        role, _, colour = word.partition(":")
        if role == "other" or _REVERSED_KIT & set(_words(channel.name)):
            continue
        target = _one_role(channel.name, _TARGETS)
        dye = _one_role(channel.name, _DYES) or (
            role_of_emission(channel.emission_nm) if channel.emission_nm else None
        )
        expected = _COLOURS.get(colour, role)
        if target is not None and target != role:
            raise ChannelError(image, f"the sheet calls channel {channel.name!r} {role}, its name {target}")
        if target is None and not colour and _exchanged(role, dye):
            raise ChannelError(
                image,
                f"the sheet calls channel {channel.name!r} {role}, but by its dye it is {dye}; if the kit "
                "labels HER2 green and CEP17 orange, write `her2:green` and `cep17:orange`",
            )
        if colour and dye is not None and dye != expected:
            raise ChannelError(
                image, f"the sheet calls channel {channel.name!r} {word}, but its dye is not {colour}"
            )


def _exchanged(role: str, dye: Role | None) -> bool:
    """Whether a dye cannot carry a role; dyes of neither probe (Cy5) may carry any probe."""
    return dye is not None and dye != role and ("dapi" in (role, dye) or dye != "other")


def _one_role(name: str, table: dict[str, Role]) -> Role | None:
    """Role that the words of a table give to a name; None if none or several."""
    roles = {role for word in _words(name) if (role := _look_up(word, table)) is not None}
    return roles.pop() if len(roles) == 1 else None


def _found_role(hint: ChannelHint, stem_words: tuple[str, ...], image: str) -> tuple[Role, Origin]:
    stem = " ".join(stem_words)
    for text in (hint.name, stem):
        if _REVERSED_KIT & set(_words(text)):
            raise ChannelError(
                image, f"{known_words(text)} belongs to a kit that labels HER2 green, CEP17 orange"
            )
    by_name = role_of_name(hint.name)
    by_emission = role_of_emission(hint.emission_nm) if hint.emission_nm else None
    target_named = {_look_up(word, _TARGETS) for word in _words(hint.name)} - {None, "dapi"}
    if by_name and by_emission and by_name != by_emission and not target_named:
        raise ChannelError(
            image,
            f"channel {known_words(hint.name)!r} is {by_name} by name, "
            f"but {hint.emission_nm:g} nm is {by_emission}",
        )
    if by_name:
        return by_name, "name"
    if by_emission:
        return by_emission, "wavelength"
    by_file = role_of_name(stem)
    return (by_file, "file_name") if by_file else ("other", "name")


def _sheet_role(word: str, image: str) -> Role:
    match word.partition(":")[0]:
        case "dapi" | "her2" | "cep17" | "other" as role:
            return role
        case _:
            raise ChannelError(image, f"unknown channel {word!r} in the sheet")


def _label(hint: ChannelHint, stem_words: tuple[str, ...], index: int) -> str:
    """Call a channel by what is known of it, never by its free text."""
    by_emission = f"{hint.emission_nm:g} nm" if hint.emission_nm else ""
    return (
        known_words(hint.name) or by_emission or known_words(" ".join(stem_words)) or f"channel {index + 1}"
    )


def _look_up(word: str, table: dict[str, Role]) -> Role | None:
    return table.get(word) or table.get(_unnumbered(word))


def _unnumbered(word: str) -> str:
    # Acquisition software numbers its presets: "DAPI2", "hoechst33342".
    return re.sub(r"(?<=dapi|chst)\d+$", "", word)


def _split(text: str) -> list[str]:
    return [word for word in re.split(r"[^a-z0-9]+", text.lower()) if word]


def _words(text: str) -> tuple[str, ...]:
    single = _split(text)
    joined = ["".join(single[i : i + n]) for n in (2, 3) for i in range(len(single) - n + 1)]
    return (*single, *joined)


def _without_common_words(stems: Sequence[str]) -> list[tuple[str, ...]]:
    # "caseHER2_dapi" and "caseHER2_orange": what all files share says nothing of the channel.
    split = [_split(stem) for stem in stems]
    shared = set.intersection(*(set(words) for words in split)) if len(split) > 1 else set()
    return [tuple(word for word in words if word not in shared) for words in split]
