# `make help` lists the targets. Everything lives in .venv; nothing else on the machine is touched.
PYTHON ?= python3
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export VIRTUAL_ENV := $(CURDIR)/.venv
.DEFAULT_GOAL := help
.PHONY: help setup repro replicates demo bench prove test check format lock readme

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

setup: .venv/.ready ## make .venv with the locked packages

.venv/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; say where: make PYTHON=/path/to/python3" >&2; exit 2; }
	test -x .venv/bin/python || $(PYTHON) -m venv .venv
	python -m pip install --quiet --disable-pip-version-check $$(grep -o '^uv==[0-9.]*' requirements.lock)
	uv pip sync --quiet --require-hashes --compile-bytecode requirements.lock
	uv pip install --quiet --no-deps --editable .
	touch .venv/.ready

repro: setup ## run the pipeline: only what changed runs
	python -m pipeline check
	dvc repro

replicates: repro ## run the pipeline for five seeds, two at a time, and sum them up
	python -m pipeline.replicates 0 1 2 3 4

METHODS = replay sequential lora joint analytic gaussian_replay gaussian_lora
SHAPES = transfer transfer_both label_efficiency
DEMO = data.dataset=digits pretrain.epochs=8 sequential.trials=8 lora.trials=8 lora.batch=16 \
	statistics.width=1000 analytic.widths=[1000] gaussian_replay.samples=1000 \
	gaussian_lora.samples=1000 shapes.images.train=300 shapes.images.validation=100 \
	shapes.images.test=100 transfer_both.epochs=2 label_efficiency.images=[5,50] \
	rank_sweep.ranks=[1,8] rank_sweep.setting.epochs=3 rank_sweep.published.epochs=1

# These run processes side by side on the same cores; see `pipeline.startup.prepare`.
demo test: export GOMP_SPINCOUNT := 0

demo: setup ## run it all on small bundled digits, in a copy, and print the results
	@set -e; copy=$$(mktemp -d); trap 'rm -rf "$$copy"' EXIT; \
	git ls-files -z --cached --others --exclude-standard | tar --create --null --files-from=- \
		| tar --extract --directory="$$copy"; \
	cd "$$copy"; git init --quiet; git add --all; \
	git -c user.name=demo -c user.email=demo@localhost commit --quiet --message=demo; \
	dvc exp run $(foreach setting,$(DEMO),--set-param '$(setting)') split; \
	{ dvc --wait-for-lock repro $(SHAPES); \
		dvc --wait-for-lock repro --single-item wide_pretrain rank_sweep; } & beside=$$!; \
	dvc --wait-for-lock repro $(METHODS); wait $$beside; \
	dvc repro; python -m pipeline.report

bench: repro ## time the pipeline beside the systems that it repeats
	uv pip install --quiet --require-hashes --requirement bench/requirements.lock
	python -m bench

prove: setup ## rerun the pipeline under other conditions: the same to the last bit?
	python -m tests.prove

test: setup ## run the tests
	pytest

check: setup ## check format, lint and types
	ruff format --check
	ruff check
	mypy

format: setup ## format the code
	ruff format
	ruff check --fix

readme: setup ## write the generated parts of README.md
	python -m pipeline.report README.md

COMPILE = uv pip compile pyproject.toml --universal --generate-hashes --quiet \
	--custom-compile-command "make lock"

lock: setup ## pin the newest packages that pyproject.toml allows
	$(COMPILE) --extra dask --extra dev --upgrade --output-file requirements.lock
	$(COMPILE) --extra bench --constraint requirements.lock --output-file bench/requirements.lock
