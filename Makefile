# `make help` lists the targets. Everything lives in .venv; nothing else on the machine is touched.
PYTHON ?= python3
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export VIRTUAL_ENV := $(CURDIR)/.venv
.DEFAULT_GOAL := help
.PHONY: help setup repro studies replicates serve demo bench prove test test-slow check format lock readme

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

setup: .venv/.ready ## make .venv with the locked packages

.venv/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; say where: make PYTHON=/path/to/python3" >&2; exit 2; }
	@test -x .venv/bin/python || $(PYTHON) -m venv .venv
	@echo "installing the locked packages into .venv"
	@python -m pip install --quiet --disable-pip-version-check $$(grep -o '^uv==[0-9.]*' requirements.lock)
	@uv pip sync --quiet --require-hashes --compile-bytecode requirements.lock
	@uv pip install --quiet --no-deps --editable .
	@touch .venv/.ready

repro: setup ## run the pipeline: only what changed runs (V=1: as DVC tells it)
	@python -m pipeline check
ifdef V
	@dvc repro
else
	@python -m pipeline repro
endif
	@python -m pipeline results

replicates: setup ## run the pipeline for five seeds, and sum them up
	@python -m pipeline study replicates

studies: setup ## run all studies: what is missing of them
	@python -m pipeline study $$(cd studies && ls *.yaml | sed 's/\.yaml$$//')

serve: setup ## show the models of the last run in a page, to ask and to teach
	@python -m pipeline serve

demo: setup ## run the first two questions on small bundled digits, in a copy: two minutes
	@python -m pipeline demo

bench: repro ## time the pipeline beside the systems that it repeats
	uv pip install --quiet --require-hashes --requirement bench/requirements.lock
	python -m bench

prove: setup ## rerun the pipeline under other conditions: the same to the last bit?
	python -m tests.prove

# Processes side by side on the same cores; see `pipeline.core.process`.
test test-slow: export GOMP_SPINCOUNT := 0
test: setup ## run the quick tests
	pytest

test-slow: setup ## run the others: real DVC runs of many stages
	pytest -m slow

check: setup ## check format, lint and types
	ruff format --check
	ruff check
	mypy

format: setup ## format the code
	ruff format
	ruff check --fix

readme: setup ## fill in the generated parts of the READMEs
	python -m pipeline results README.md pipeline/app/README.md pipeline/new_class/README.md \
		pipeline/ranks/README.md pipeline/shapes/README.md
	python -m bench readme

COMPILE = uv pip compile pyproject.toml --universal --generate-hashes --quiet \
	--custom-compile-command "make lock"

lock: setup ## pin the newest packages that pyproject.toml allows
	$(COMPILE) --extra dask --extra dev --extra onnx --extra parquet --extra serve --upgrade --output-file requirements.lock
	$(COMPILE) --extra bench --constraint requirements.lock --output-file bench/requirements.lock
