# `make grade` and `make test` do all the set-up on a fresh machine.
# On Windows, or without make: see "Without make" in README.md.

PYTHON ?= python3
SUBMISSION ?= tests/submissions/complete
OPTIONS ?=
BIN := .venv/bin
# Many tests wait for processes: two workers for each processor keep it busy.
WORKERS ?= $(shell $(PYTHON) -c "import os; print(2 * (os.cpu_count() or 1))")

.PHONY: grade test check format bench bench-class bench-verdicts security schemas picture gradescope clean help
.DEFAULT_GOAL := help

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' $(MAKEFILE_LIST) | expand -t 24

grade: .venv/core ## set up, grade SUBMISSION (default: a complete sample) and show the report
	@$(BIN)/grader grade $(SUBMISSION) $(OPTIONS)

# Tests start Python some hundred times: let it keep what it has compiled.
test: export PYTHONDONTWRITEBYTECODE =
test: .venv/dev ## set up and run every test
	$(BIN)/pytest --numprocesses $(WORKERS) --dist loadgroup $(OPTIONS)

check: .venv/dev ## ruff, its formatter, mypy, the rubric and the workflows
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/grader rubric check
	$(BIN)/zizmor --offline --quiet .github/workflows
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml

format: .venv/dev ## put the code into its house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

security: .venv/dev ## try every attack and write what came of it into docs/security.md
	$(BIN)/python tools/security.py

bench: .venv/dev ## measure speed, and agreement with the answers marked by hand
	$(BIN)/python tools/bench.py

bench-class: .venv/dev ## measure how fast a class of 200 is graded
	$(BIN)/python tools/bench_class.py

bench-verdicts: .venv/dev ## show that sped-up runs come to the verdicts of real time
	$(BIN)/python tools/bench_verdicts.py

schemas: .venv/core ## renew the published schemas and the kept copy of assignment/
	$(BIN)/python tools/schemas.py

picture: .venv/dev ## renew the README's pictures
	$(BIN)/python tools/picture.py

gradescope: .venv/core ## build dist/gradescope.zip, the autograder to upload to Gradescope
	@$(BIN)/python tools/gradescope.py

clean: ## remove the virtual environment and everything that was generated
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/core: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Setting up .venv (once)..." >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/dev: pyproject.toml .venv/core
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[dev]"
	@touch $@
