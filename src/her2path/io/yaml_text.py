"""YAML as people write it, where a key stated twice is a fault and not a silent choice of the last one."""

from __future__ import annotations

from typing import Any

import yaml


class _NoTwins:
    """Refuses a mapping that states a key twice; the rest is the loader's."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Build a mapping, or raise a `ConstructorError` with the place of the second key."""
        seen: dict[str, yaml.Mark] = {}
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                first = seen[key.value].line + 1
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key.value!r} stands in line {first} already; keep one", key.start_mark
                )
            if isinstance(key, yaml.ScalarNode):
                seen[key.value] = key.start_mark
        return super().construct_mapping(node, deep=deep)  # type: ignore[misc,no-any-return]


class _Typed(_NoTwins, yaml.SafeLoader):
    pass


class _Words(_NoTwins, yaml.BaseLoader):
    pass


def parse_yaml(text: str, *, as_words: bool = False) -> Any:
    """Parse one document of plain YAML.

    Parameters
    ----------
    text : str
        The document.
    as_words : bool
        Take every scalar for text: 0 is then the word ``0``, and ``no`` the word ``no``.

    Raises
    ------
    yaml.YAMLError
        It is no YAML, or states a key twice.

    Examples
    --------
    >>> parse_yaml("min_nuclei: 20")
    {'min_nuclei': 20}
    >>> parse_yaml("min_nuclei: 20", as_words=True)
    {'min_nuclei': '20'}
    """
    return yaml.load(text, Loader=_Words if as_words else _Typed)  # noqa: S506  (both are safe loaders)
