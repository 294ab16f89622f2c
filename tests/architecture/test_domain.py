"""The domain stands on the standard library and numpy alone, so that its rules can be checked anywhere."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src"
DOMAIN = SOURCE / "her2path" / "domain"
STATS = DOMAIN / "stats"
FILES = sorted(path for path in DOMAIN.rglob("*.py") if STATS not in path.parents)
ALLOWED = set(sys.stdlib_module_names) | {"numpy"}
OWN = ("her2path.domain", "her2path.errors")
# They reach outside: files, other programs, clocks, chance.
OUTSIDE = {
    "asyncio",
    "datetime",
    "io",
    "logging",
    "multiprocessing",
    "os",
    "pathlib",
    "random",
    "secrets",
    "shutil",
    "socket",
    "sqlite3",
    "subprocess",
    "sys",
    "tempfile",
    "threading",
    "time",
    "urllib",
}


def imported(path: Path) -> Iterator[str]:
    """Names of all modules that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield node.module or ""


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(DOMAIN)))
def test_a_file_of_the_domain_imports_the_standard_library_numpy_and_itself(path):
    for name in imported(path):
        if name.startswith("her2path"):
            assert name.startswith(OWN), name
            assert not name.startswith("her2path.domain.stats"), "only statistics may need more than numpy"
        else:
            assert name.partition(".")[0] in ALLOWED - OUTSIDE, name


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(DOMAIN)))
def test_a_file_of_the_domain_imports_nothing_by_its_name_alone(path):
    """`importlib` and `__import__` would pass by the test above."""
    names = {node.id for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Name)}
    assert not names & {"__import__", "importlib", "exec", "eval", "open"}


def test_the_rules_load_without_any_installed_package_but_numpy():
    code = (
        "import sys; before = set(sys.modules); "
        "import her2path.domain.decision, her2path.domain.guideline.registry; "
        "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before "
        "if 'site-packages' in (getattr(sys.modules[name], '__file__', None) or '')}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= {"numpy"}
