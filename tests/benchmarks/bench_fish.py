"""FISH in short: what focus, noise, pixel size and crowding do to it, the real nuclei, and the speed.

Development seeds; the figures that are asked for come from ``make validate-fish``, which measures in the
same way.  Phantoms, and nuclei without probes: no claim of accuracy on patients.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from her2path.domain.ish import IshGroup
from her2path.imaging.phantoms.fish import FishPhantomSpec, group_of, spec_for_group
from tests.validation.fish import measures, real_nuclei, speed
from tests.validation.fish.cases import make_case
from tests.validation.fish.phantom_run import read_cases

SEED = 507_000
CONDITIONS: dict[str, FishPhantomSpec] = {
    "as delivered": FishPhantomSpec(),
    "0.10 µm/px": FishPhantomSpec(mpp=0.1, width_px=1280, height_px=1280),
    "0.25 µm/px": FishPhantomSpec(mpp=0.25, width_px=512, height_px=512),
    "5 focal planes": FishPhantomSpec(z_planes=5),
    "blur x 1.6": FishPhantomSpec(blur=1.6),
    "background x 2.5, noise x 2": FishPhantomSpec(background=2.5, noise=2.0),
    "half the signal": FishPhantomSpec(signal_level=0.5),
    "3500 nuclei/mm²": FishPhantomSpec(nuclei_per_mm2=3500),
}


def accuracy() -> Iterator[str]:
    """One line per condition: a case of each ISH group."""
    yield (
        f"{'phantoms':<29}{'nuclei':>7}{'signal':>7}{'HER2':>6}{'CEP17':>6}{'wrongly':>9}{'group':>7}{'ratio':>16}"
    )
    yield f"{'':<29}{'F1':>7}{'F1':>7}{'exact':>6}{'exact':>6}{'kept':>9}{'':>7}{'mean ± sd':>16}"
    for place, (name, base) in enumerate(CONDITIONS.items()):
        cases = []
        for group in IshGroup:
            spec = replace(base, seed=SEED + 100 * place + 10 * int(group))
            cases.append(make_case(f"{name} {group}", name, spec_for_group(group, spec)))
        yield _line(name, read_cases(cases, processes=2))


def _line(name: str, cases: list[measures.CaseAgreement]) -> str:
    errors = np.array(measures.ratio_errors(cases)) / 100
    kept = sum(field.scored[0] for case in cases for field in case.fields)
    wrongly = sum(sum(field.kept_wrongly.values()) for case in cases for field in case.fields)
    exact = [(measures.met(role, 0)(cases) or 0.0) / 100 for role in ("her2", "cep17")]
    right = sum(group_of(case.found) is group_of(case.true) for case in cases)
    return (
        f"{name:<29}{measures.nuclei_f1(cases):7.3f}{measures.signal_f1(cases):7.3f}{exact[0]:6.2f}{exact[1]:6.2f}"
        f"{wrongly:>4}/{kept:<4}{right:>4}/{len(cases):<2}{errors.mean():+8.3f} ± {errors.std():.3f}"
    )


def main() -> None:
    """Print all tables."""
    for line in accuracy():
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    real = [real_nuclei.read_field(field) for field in real_nuclei.fields()]
    rows = [*(real_nuclei.rows(real) if real else []), *speed.rows(development=True)[0]]
    for row in rows:
        sys.stdout.write(f"{row.name}: {row.value:.3f} {row.unit} ({row.detail or row.on})\n")


if __name__ == "__main__":
    main()
