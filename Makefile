# Everything a newcomer needs: `make run`, `make test`, `make check`. `make help` lists the rest.
# What is set on the command line or in the environment reaches the program:
# `make run PORT=8080 DATABASE_URL=postgresql://…`, `make test TEST_DATABASE_URL=postgresql://…`.

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
WORKERS ?= 2
ARGS ?=
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes
SOURCES := citizenvoice tests migrations benchmarks wsgi.py

.DEFAULT_GOAL := help
.PHONY: help run install test test-postgres check format bench lock messages urls clean

help: ## list the commands
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 16

run: $(VENV)/product ## start the product at http://localhost:8000 (PORT=, DATABASE_URL=)
	@exec $(BIN)/python -m citizenvoice run

install: $(VENV)/development ## install everything that checking and testing needs

test: $(VENV)/development ## run the tests (ARGS="-k words", WORKERS=0, TEST_DATABASE_URL=)
	@$(BIN)/pytest -n $(WORKERS) --dist loadfile $(ARGS)

test-postgres: $(VENV)/development ## run the tests on a PostgreSQL server of their own
	@$(BIN)/python -m tests.servers --on-postgres $(MAKE) --no-print-directory test

check: $(VENV)/development ## format, lint, types, imports, templates, migrations, translations
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint --quiet --lint templates
	$(BIN)/pytest -q tests/integration/test_migrations.py tests/test_translations.py

format: $(VENV)/development ## format the code and mend what the linter can
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

bench: $(VENV)/development ## measure, as ratios in one run (ARGS= names the benchmarks)
	@$(BIN)/python benchmarks/run.py $(ARGS)

lock: $(VENV)/development ## pin requirements*.in, with hashes (ARGS="--upgrade")
	$(BIN)/uv pip compile $(LOCK) requirements.in --output-file requirements.txt $(ARGS)
	$(BIN)/uv pip compile $(LOCK) requirements-dev.in --output-file requirements-dev.txt $(ARGS)
LOCK := --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--overrides requirements-overrides.in \
	--custom-compile-command "make lock"

messages: $(VENV)/development ## bring the translation catalogues up to date with the code
	@mkdir -p var citizenvoice/translations
	$(PYBABEL) --quiet extract --mapping babel.cfg --keyword _l --keyword N_ --sort-by-file --add-location file \
		--project citizenvoice --copyright-holder citizenvoice --last-translator citizenvoice \
		--header-comment "# Words of citizenvoice's interface." --output var/messages.pot .
	@for language in $(TRANSLATED); do \
		test -f citizenvoice/translations/$$language/LC_MESSAGES/messages.po || \
		$(PYBABEL) --quiet init --input-file var/messages.pot --output-dir citizenvoice/translations \
			--locale $$language || exit 1; done
	$(PYBABEL) --quiet update --input-file var/messages.pot --output-dir citizenvoice/translations \
		--no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date
PYBABEL = $(BIN)/python -m babel.messages.frontend
TRANSLATED = $(shell $(BIN)/python -c 'from citizenvoice import config; print(*config.TRANSLATED)')

urls: $(VENV)/development ## add new addresses to the list of those we promised to keep
	@$(BIN)/python -m tests.urls

clean: ## remove the environment and what tools left behind; var/ with the database stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +

$(BIN)/python:
	@test -n "$(PYTHON)" || { \
		echo "citizenvoice needs Python 3.11 or newer. On Debian or Ubuntu: apt install python3 python3-venv" >&2; \
		exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "citizenvoice needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version)." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "Python's venv module is missing. On Debian or Ubuntu: apt install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/product: requirements.txt | $(BIN)/python
	@echo "Installing what citizenvoice needs (once, a minute or two) ..."
	@$(INSTALL) -r requirements.txt
	@touch $@

$(VENV)/development: requirements-dev.txt $(VENV)/product
	@echo "Installing what checking and testing needs ..."
	@$(INSTALL) -r requirements-dev.txt
	@touch $@
