"""Mutation run over the rules: `python -m tests.mutation`.

Every mutant of every module under `src/her2path/domain/guideline` meets the tests of the domain.
The score counts the mutants that a test killed among those that can be imported.  Results are
appended to a file, so that a run that was stopped goes on where it stood; give another file, or
delete it, after a change of the sources.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from tests.mutation.mutants import TEXT, Mutant, mutants_of
from tests.mutation.report import report, score
from tests.mutation.trial import Result, Stage, Verdict, judge, load_plugins

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "her2path" / "domain" / "guideline"
DOMAIN = ROOT / "tests" / "unit" / "domain"
VECTORS = DOMAIN / "test_vectors.py"
QUICK = ("rules", "conditions", "quantities", "registry", "rejections", "call_lattice")
LATTICES = ("ish_lattice", "ihc_lattice")
REQUIRED = 0.95
"""Least share of the valid mutants that must be killed."""


def _stages(skipped: Sequence[str], mutant: Mutant | None = None) -> list[Stage]:
    """Order the tests: most mutants fall to the quick ones, or to those of their own guideline."""
    rules = DOMAIN / "guideline"
    quick, lattices = ([rules / f"test_{name}.py" for name in names] for names in (QUICK, LATTICES))
    handling = DOMAIN / "test_specimen_flags.py"
    # The pages show every change of a rule; they come after the tests of what a rule does.
    pages = Stage(sorted(set(rules.glob("test_*.py")) - {*quick, *lattices}))
    rest = Stage(sorted(set(DOMAIN.glob("test_*.py")) - {VECTORS, handling}))
    ordered = [Stage([VECTORS]), Stage([*quick, handling]), Stage(lattices), rest, pages]
    name = "" if mutant is None else mutant.module.rpartition(".")[2]
    if name[-4:].isdigit():  # a module of one guideline
        ordered = [*ordered[:2], Stage(lattices, only=name), pages, *ordered[2:4]]
    if mutant is not None and mutant.operator == TEXT:
        ordered = [pages, *(stage for stage in ordered if stage != pages)]
    kept = [replace(s, files=[path for path in s.files if path.stem not in skipped]) for s in ordered]
    return [stage for stage in kept if stage.files]


def _is_sound(skipped: Sequence[str]) -> bool:
    """Whether the tests pass before anything is changed."""
    tests = [str(path) for stage in _stages(skipped) for path in stage.files]
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    here = {**os.environ, "PYTHONPATH": str(ROOT / "src")}  # a copy of the checkout tests itself
    return subprocess.run(command, cwd=ROOT, env=here, check=False).returncode == 0


def _sources() -> dict[str, str]:
    return {
        f"her2path.domain.guideline.{path.stem}": path.read_text(encoding="utf-8")
        for path in sorted(PACKAGE.glob("*.py"))
        if path.stem != "__init__"
    }


def _judge(given: tuple[Mutant, str, Sequence[Stage]]) -> Result:
    return judge(*given, package="her2path.domain.guideline.registry")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--only", default="", help="mutate modules whose name contains this")
    parser.add_argument("--no-texts", action="store_true", help="leave the words of rules and comments alone")
    parser.add_argument("--skip", nargs="*", default=[], help="test files to leave out, as test_vectors")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--report", action="store_true", help="run nothing, print what the results say")
    parser.add_argument("--results", type=Path, default=ROOT / "results" / "mutation.jsonl")
    return parser.parse_args()


def _known(path: Path) -> dict[str, Result]:
    if not path.exists():
        return {}
    rows = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    return {row["key"]: Result(row["key"], Verdict(row["verdict"]), row["by"]) for row in rows}


def _end(mutants: Mapping[str, Mutant], results: Mapping[str, Result]) -> int:
    sys.stdout.write(report(mutants, results))
    return 0 if score(mutants.values(), results) >= REQUIRED else 1


def main() -> int:
    """Run, and fail below the required score."""
    chosen = _arguments()
    sys.path.insert(0, str(ROOT / "src"))
    sources = {name: text for name, text in _sources().items() if chosen.only in name}
    found = [m for name, text in sources.items() for m in mutants_of(name, text, texts=not chosen.no_texts)]
    mutants = {mutant.key: mutant for mutant in found}
    results = _known(chosen.results)
    if chosen.report:
        return _end(mutants, results)
    if not _is_sound(chosen.skip):
        sys.stderr.write("the tests must pass before anything is changed\n")
        return 2
    todo = [
        (mutant, sources[mutant.module], _stages(chosen.skip, mutant))
        # Words last: a stopped run has met the rules themselves first.
        for key, mutant in sorted(mutants.items(), key=lambda item: item[1].operator == TEXT)
        if key not in results
    ]
    chosen.results.parent.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    # A process for each mutant, forked from this one, which has loaded pytest and its plugins already.
    load_plugins(DOMAIN / "test_geometry.py")
    fork = multiprocessing.get_context("fork")
    with fork.Pool(chosen.workers, maxtasksperchild=1) as pool, chosen.results.open("a") as file:
        for done, result in enumerate(pool.imap_unordered(_judge, todo), 1):
            results[result.key] = result
            file.write(json.dumps(asdict(result)) + "\n")
            file.flush()
            if done % 100 == 0:
                sys.stderr.write(f"{done} of {len(todo)} in {time.monotonic() - started:.0f} s\n")
    return _end(mutants, results)


if __name__ == "__main__":
    sys.exit(main())
