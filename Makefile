# Everything stands on `make setup`, which needs git, make, Python 3.11 and its venv module.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
OUT := results/demo
SYSTEM_PACKAGES := workflows/debian-packages.txt tests/debian-packages.txt

.PHONY: setup demo test coverage check format bench bench-memory validate-ihc validate-fish validate-qa validate-retraining validate-exchange mutation schemas clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt $(SYSTEM_PACKAGES) workflows/install_system_packages.sh
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --progress-bar on --constraint constraints.txt --group dev --editable ".[spatial]"
	sh workflows/install_system_packages.sh $(BIN)/python $(SYSTEM_PACKAGES)
	touch $@

## The main job on the synthetic cases that ship with the project.
demo: setup
	$(BIN)/her2path run sample_data/cases.tsv --out $(OUT)

test: setup
	$(BIN)/python -m pytest -n 2 --dist loadgroup

## Every branch of the domain (statistics apart) by the domain's own tests; less than all is a failure.
coverage: setup
	$(BIN)/python -m pytest -q -n 2 --cov=her2path.domain --cov-branch --cov-report= tests/unit/domain tests/property
	$(BIN)/coverage report --omit='*/domain/stats/*' --skip-covered --show-missing --fail-under=100

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/snakefmt --check Snakefile workflows
	$(BIN)/snakemake --lint

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflows

## Speed and memory on this machine, side by side; never part of the tests.
bench: setup
	$(BIN)/python -m tests.benchmarks

## Peak memory of each step on a slide of 40 000 x 40 000 pixels; minutes, and 2 GB of disk.
bench-memory: setup
	$(BIN)/python -m tests.benchmarks memory

## What the IHC path must show, on phantoms and real cores: 40 minutes; writes docs/validation/ihc.md.
## The model that ships beside the classical method; others: make validate-ihc MODELS="--model ID".
MODELS := --model her2-star-2
validate-ihc: setup
	$(BIN)/python -m tests.validation ihc $(MODELS)

## What the FISH path must show, on phantoms and real nuclei: 8 minutes; writes docs/validation/fish.md.
## Installs Big-FISH into an environment of its own, to be measured beside it.
validate-fish: setup
	$(BIN)/python -m tests.validation fish

## How often the intervals of quality assurance cover the truth, on simulated readers: 25 minutes;
## writes docs/validation/qa.md.
validate-qa: setup
	$(BIN)/python -m tests.validation qa

## How many labels bring a model back, on phantoms of a made-up laboratory: 20 minutes; writes
## docs/validation/retraining.md.
validate-retraining: setup
	$(BIN)/python -m tests.validation retraining

## Pages in a browser, and what other systems take: sizes, seconds, memory, round trips; writes
## docs/validation/exchange.md.
validate-exchange: setup
	$(BIN)/python -m tests.validation exchange

## Wrong rules on purpose: does a test notice?  An hour; results so far are kept in results/.
mutation: setup
	$(BIN)/python -m tests.mutation

## The JSON Schema of the configuration and its defaults, from the code that checks them.
schemas: setup
	$(BIN)/python -m tests.support.schemas

clean:
	rm -rf $(VENV) results .snakemake
