"""Write the configuration's defaults and the JSON Schemas from the code that checks them.

Run by ``make schemas``; a test holds the files against the code.
"""

from __future__ import annotations

import json
from pathlib import Path

from her2path.config import Config
from her2path.io.case_sheet import ImageRow

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "workflows" / "config" / "config.yaml"


def default_config() -> str:
    """Return the default configuration as commented YAML."""
    lines = [
        "# Defaults of every step; an operator's file needs only the keys that differ.",
        "# Explanations and units: workflows/schemas/config.schema.json. Made by `make schemas`.",
    ]
    for key, value in Config().model_dump(mode="json").items():
        if isinstance(value, dict):
            lines += [f"{key}:" if value else f"{key}: {{}}"]
            lines += [f"  {name}: {json.dumps(item)}" for name, item in value.items()]
        else:
            lines.append(f"{key}: {json.dumps(value)}")
    return "\n".join(lines) + "\n"


def files() -> dict[Path, str]:
    """Return the content of every generated file."""
    schemas = ROOT / "workflows" / "schemas"
    return {
        CONFIG: default_config(),
        schemas / "config.schema.json": _schema(Config),
        schemas / "case_sheet.schema.json": _schema(ImageRow),
    }


def _schema(model: type[Config] | type[ImageRow]) -> str:
    return json.dumps(model.model_json_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for path, text in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
