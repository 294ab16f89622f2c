"""Results by part and method, kept as JSON so that a part or a method can be run again alone."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.validation.measures import Measure

ROOT = Path(__file__).resolve().parents[2]

Part = dict[str, Any]


def machine() -> str:
    """Cores and processor, for figures of speed."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{os.cpu_count()} cores, {names[0] if names else platform.processor()}"


def _commit() -> str:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"


def keep(
    folder: Path, part: str, method: str, rows: Sequence[Measure], extra: Mapping[str, object] | None = None
) -> None:
    """Put the rows of one method into the file of a part; other methods' stay."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{part}.json"
    known: Part = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    known[method] = {
        "rows": [row.as_json() for row in rows],
        "commit": _commit(),
        "when": time.strftime("%Y-%m-%d %H:%M"),
        "machine": machine(),
        "load": round(os.getloadavg()[0], 1),
        **(extra or {}),
    }
    file.write_text(json.dumps(known, indent=1, ensure_ascii=False), encoding="utf-8")


def kept(folder: Path) -> dict[str, Part]:
    """All parts by name."""
    return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.json"))}


def _told(row: Measure) -> Measure:
    verdict = {True: "reached", False: "MISSED", None: ""}[row.passed]
    interval = "" if row.low is None else f" ({row.low:.3g} to {row.high:.3g})"
    sys.stdout.write(f"  {row.name}: {row.value:.3g}{interval} {row.unit} {verdict}  {row.detail}\n")
    sys.stdout.flush()
    return row


def all_told(rows: list[Measure]) -> list[Measure]:
    """Print the rows and give them back."""
    return [_told(row) for row in rows]
