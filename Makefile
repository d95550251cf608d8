# Every target sets up .venv by itself when requirements.txt or pyproject.toml is newer than the stamp.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help install demo test check eval bench peers cassettes clean

help:  ## show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(STAMP)  ## set up .venv with the pinned packages

$(STAMP): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Frostline needs Python 3.11 or newer; this is %s. Try: make PYTHON=python3.12 install" % sys.version.split()[0])'
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "Python's venv module is missing. On Debian or Ubuntu: sudo apt-get install python3-venv"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv==$$(cat .uv-version)"
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python -r requirements.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $(STAMP)

demo: $(STAMP)  ## the tour on the demo account
	@$(BIN)/frostline demo

test: $(STAMP)  ## the tests
	@$(BIN)/python -m pytest -q -n 3 --dist loadfile

check: $(STAMP)  ## ruff, mypy, import-linter
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

eval: $(STAMP)  ## the eval suite that gates CI
	@$(BIN)/frostline eval

bench: $(STAMP)  ## benchmarks: figures and ratios, never a gate
	@$(BIN)/python -m evals.bench
	@$(if $(wildcard .venv-bench/bin/python),.venv-bench/bin/python,$(BIN)/python) -m evals.bench_anomaly $(if $(BENCH_DATA),--data $(BENCH_DATA))
	@$(BIN)/python -m evals.bench_streams
	@$(BIN)/python -m evals.retrieval
	@$(BIN)/python -m tests.bench.slack
	@$(BIN)/python -m evals.bench_demo
	@$(BIN)/python -m evals.incidents
	@$(BIN)/python -m evals.bench_forecast $(if $(BENCH_DATA),--data $(BENCH_DATA))

peers: $(STAMP)  ## what `make bench` compares forecasts with, in .venv-bench
	@test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	@$(BIN)/uv pip install --quiet --python .venv-bench/bin/python -r evals/bench-peers.txt

cassettes: $(STAMP)  ## record tests/cassettes again (CONTRIBUTING.md)
	@test -n "$$FROSTLINE_TEST_LLM_URL" -a -n "$$FROSTLINE_TEST_LLM_RECORD" || { echo "Set FROSTLINE_TEST_LLM_URL and FROSTLINE_TEST_LLM_RECORD: see CONTRIBUTING.md"; exit 1; }
	@$(BIN)/python -m pytest -q -n 0 --timeout 0 "tests/graph/test_model_cassettes.py::test_one_conversation_whoever_thinks[cassette]"

clean:  ## remove what the targets made (not your FROSTLINE_HOME)
	rm -rf $(VENV) .venv-bench .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
