# Thin: sets up a virtual environment and calls the tools in it.

PYTHON ?= python3
BIN := .venv/bin
SETUP := .venv/.done
CORES ?= all
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: run test bench lint format clean

run: $(SETUP) results/phantom
	snakemake --cores $(CORES) --configfile workflow/demo.yaml

test: $(SETUP) lint
	pytest

# All benchmarks, or some: make bench ONLY="quality growth:0.2,0.8"
bench: $(SETUP)
	$(BIN)/python -m benchmarks $(ONLY)

lint: $(SETUP)
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile workflow
	snakemake --lint

format: $(SETUP)
	ruff format .
	ruff check --fix .
	snakefmt Snakefile workflow

results/phantom: | $(SETUP)
	cordinr phantom $@

$(SETUP): pyproject.toml envs/constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c envs/constraints.txt -e '.[test,lint]'
	touch $@

clean:
	rm -rf .venv .snakemake .pytest_cache .ruff_cache
