"""QuPath's objects as its exports spell them, from version 0.2 to 0.6.

Read as QuPath reads them itself: the kind from ``objectType``, older ``object_type`` or, in version 0.2,
from the id; the class from a name, a list of names, or both; colours and the state of TMA cores in any
spelling, for they say nothing here.  Identifiers are UUIDs since version 0.4.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from her2path.io.geojson import Json

_OF_JAVA = MappingProxyType(
    {
        "pathannotationobject": "annotation",
        "pathcellobject": "cell",
        "pathdetectionobject": "detection",
        "pathtileobject": "tile",
        "tmacoreobject": "tma_core",
        "pathrootobject": "root",
    }
)
_KINDS: Mapping[str, str] = MappingProxyType(
    {**_OF_JAVA, **{kind: kind for kind in _OF_JAVA.values()}, "tmacore": "tma_core"}
)


@dataclass(frozen=True, slots=True)
class QuPathObject:
    """One object of an export."""

    kind: str
    """``annotation``, ``cell``, ``detection``, ``tile``, ``tma_core`` or ``root``; what is not known is an
    annotation, as in QuPath."""
    identifier: uuid.UUID | None
    words: str
    """Class, the parts of a derived one joined as in ``Tumor: 3+``; empty = none."""
    geometry: Json


def object_of(feature: Json) -> QuPathObject | None:
    """Read a feature; None where it is no GeoJSON object.

    Examples
    --------
    >>> kind = {"name": "Tumor: 3+", "colorRGB": -3670016}
    >>> found = object_of({"id": "PathCellObject", "geometry": None, "properties": {"classification": kind}})
    >>> found.kind, found.words, found.identifier
    ('cell', 'Tumor: 3+', None)
    """
    if not isinstance(feature, dict):
        return None
    properties = feature.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    geometry = feature if "geometry" not in feature and "coordinates" in feature else feature.get("geometry")
    return QuPathObject(
        kind=_kind(properties, feature.get("id")),
        identifier=_uuid(feature.get("id")),
        words=_class_words(properties.get("classification")),
        geometry=geometry,
    )


def _kind(properties: Mapping[str, Json], identifier: Json) -> str:
    for stated in (properties.get("objectType"), properties.get("object_type"), properties.get("type")):
        if isinstance(stated, str):
            return _KINDS.get(stated.lower(), "annotation")
    return _OF_JAVA.get(identifier.lower(), "annotation") if isinstance(identifier, str) else "annotation"


def _uuid(text: Json) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _class_words(stated: Json) -> str:
    parts: list[Json] = [stated]
    if isinstance(stated, dict):
        names, name = stated.get("names"), stated.get("name")
        stated = names if isinstance(names, list) and names else name
        parts = [stated]
    if isinstance(stated, list):
        parts = stated
    return ": ".join(part.strip() for part in parts if isinstance(part, str) and part.strip())
