"""The shape of the code, which no linter of lines can see."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from her2path.cli import step

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "src" / "her2path").rglob("*.py"))
MAX_LINES = 400
MAX_FUNCTION_LINES = 60
VAGUE = {"utils", "util", "helpers", "helper", "misc", "common", "manager", "handler", "process"}


def functions(path: Path) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            yield node


def body_lines(function: ast.FunctionDef) -> int:
    """Lines below the signature and docstring: a command's options are declarations."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    assert function.end_lineno is not None
    return function.end_lineno - body[0].lineno + 1 if body else 0


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT / "src" / "her2path")))
def test_a_file_can_be_read_in_one_sitting(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_LINES
    assert path.stem not in VAGUE
    long = {f.name: body_lines(f) for f in functions(path) if body_lines(f) > MAX_FUNCTION_LINES}
    assert not long


def test_rules_steps_and_their_parameters_share_their_names():
    rules = {
        name
        for path in (ROOT / "workflows" / "rules").glob("*.smk")
        for name in re.findall(r"^rule (\w+):", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    modules = {path.stem for path in (ROOT / "src" / "her2path" / "steps").glob("*.py")} - {"__init__"}
    assert rules == modules == set(step.STEPS) == set(step.OUTPUTS)


@pytest.mark.parametrize("name", step.STEPS)
def test_a_step_has_two_public_names_and_its_outputs_are_arguments(name):
    loaded = step.load_step(name)
    assert set(step.OUTPUTS[name]) <= set(loaded.arguments)
    assert loaded.params.model_config["extra"] == "forbid"
    tree = ast.parse((ROOT / "src" / "her2path" / "steps" / f"{name}.py").read_text(encoding="utf-8"))
    defined = [n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)]
    assert [d for d in defined if not d.startswith("_")] in (
        [loaded.params.__name__, "run"],
        ["run", loaded.params.__name__],
    )


@pytest.mark.parametrize("name", step.STEPS)
def test_every_parameter_has_a_default_and_an_explanation(name):
    loaded = step.load_step(name)
    path = ROOT / "src" / "her2path" / "steps" / f"{name}.py"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    (params,) = [n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == loaded.params.__name__]
    for field, following in zip(params.body, [*params.body[1:], ast.Pass()], strict=True):
        if isinstance(field, ast.AnnAssign):
            assert field.value is not None, ast.unparse(field)
            assert isinstance(following, ast.Expr), f"{ast.unparse(field)} lacks its explanation"


HEAVY = {"cv2", "numpy", "pyarrow", "pydantic", "scipy", "shapely", "skimage", "snakemake", "torch"}


def test_help_loads_nothing_heavy():
    code = "import sys; from her2path.cli import main; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert not loaded & HEAVY


def test_no_step_loads_torch():
    code = "import sys; import her2path.config; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_no_file_names_a_folder_of_a_machine_or_a_registry():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    odd = re.compile(r"(?<![\w.])/(?:home|root|work|Users)/|files\.pythonhosted|pypi\.org/simple")
    found = []
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if (
            path.suffix in {".tif", ".png", ".jpg", ".parquet"}
            or path == Path(__file__)
            or not path.is_file()
        ):
            continue
        if odd.search(path.read_text(encoding="utf-8", errors="replace")):
            found.append(name)
    assert not found
