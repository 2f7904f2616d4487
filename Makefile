# Everything a developer or a stranger needs, with nothing installed but make and Python 3.11 or later.
# Paths are relative, so the folder may have any name.

.DEFAULT_GOAL := help
SHELL := /bin/sh

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv/bin/python
INTERDESK := .venv/bin/interdesk
PIP := $(VENV) -m pip --quiet --disable-pip-version-check

# A virtual environment knows its own place: after the folder was moved or copied it is made again.
$(shell [ "$$(cat .venv/place 2>/dev/null)" = "$$(pwd -P)" ] || rm -f .venv/installed .venv/installed-dev)

.PHONY: help run demo test check bench openapi docs lint-openapi lock clean

help:
	@echo 'make run           start everything at http://127.0.0.1:8000, with a story to try it on'
	@echo 'make test          lint, type-check and test'
	@echo 'make check         lint and type-check only'
	@echo 'make bench         measure (see docs/performance.md)'
	@echo 'make openapi       write openapi/openapi.json again'
	@echo 'make docs          write the drawn pages of docs/guides again'
	@echo 'make lint-openapi  lint openapi/openapi.json (needs Node)'
	@echo 'make lock          pin the dependencies again'
	@echo 'make clean         remove what was installed and built; data in ./var stays'

run: .venv/installed
	@exec $(INTERDESK) serve --demo $(if $(PORT),--port $(PORT))

demo: .venv/installed
	@$(INTERDESK) demo

check: .venv/installed-dev
	$(VENV) -m ruff check .
	$(VENV) -m ruff format --check .
	$(VENV) -m mypy
	.venv/bin/lint-imports

test: check
	$(VENV) -m pytest -n 2 -q

bench: .venv/installed-dev
	$(VENV) -m bench.run

openapi: .venv/installed
	@$(INTERDESK) openapi > openapi/openapi.json.part
	@mv openapi/openapi.json.part openapi/openapi.json

docs: .venv/installed
	@for course in joint-operations repatriation-requests transports; do \
	  $(INTERDESK) workflow $$course > docs/guides/$$course-workflow.md.part && \
	  mv docs/guides/$$course-workflow.md.part docs/guides/$$course-workflow.md && \
	  $(INTERDESK) workflow $$course --form picture > docs/guides/$$course-workflow.svg.part && \
	  mv docs/guides/$$course-workflow.svg.part docs/guides/$$course-workflow.svg || exit 1; \
	done

lint-openapi:
	@command -v npm >/dev/null || { echo 'make lint-openapi needs Node with npm.' >&2; exit 1; }
	@mkdir -p build/lint
	@npm install --silent --no-audit --no-fund --no-save --no-package-lock --prefix build/lint \
		@redocly/cli@2.77.0 @stoplight/spectral-cli@6.16.3 @stoplight/spectral-owasp-ruleset@2.0.1
	REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true build/lint/node_modules/.bin/redocly lint --config openapi/redocly.yaml openapi/openapi.json
	@# Spectral looks for the rules it extends beside the file that names them.
	@cp openapi/spectral.yaml build/lint/spectral.yaml
	build/lint/node_modules/.bin/spectral lint --ruleset build/lint/spectral.yaml openapi/openapi.json

# No address of a registry may get into these files: uv's own lock format records them, this one does not.
LOCK := .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate \
	--no-emit-index-url --no-emit-find-links --upgrade pyproject.toml
lock: .venv/installed-dev
	@$(PIP) install uv
	@$(LOCK) --all-extras --output-file constraints.txt
	@$(LOCK) --extra s3 --generate-hashes --output-file requirements.lock
	@! grep -n '://' constraints.txt requirements.lock

clean:
	rm -rf .venv .mypy_cache .ruff_cache .hypothesis .import_linter_cache build *.egg-info bench/bin bench/work
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/installed: pyproject.toml constraints.txt
	@[ -n '$(PYTHON)' ] || { echo 'Interdesk needs Python 3.11 or later, and none was found.' \
		'Install one, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3' >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo 'Interdesk needs Python 3.11 or later; $(PYTHON) is older.' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo 'Python lacks its venv module.' \
		"On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@echo 'Installing (only when dependencies have changed) ...'
	@[ -x $(VENV) ] && [ "$$(cat .venv/place 2>/dev/null)" = "$$(pwd -P)" ] || $(PYTHON) -m venv --clear .venv
	@$(PIP) install --constraint constraints.txt --editable .
	@pwd -P > .venv/place
	@touch $@

.venv/installed-dev: .venv/installed
	@$(PIP) install --constraint constraints.txt --editable '.[dev]'
	@touch $@
