# Requires Python 3.11 or newer with venv, and make. Everything else is installed into .venv.

VENV := .venv
BIN := $(VENV)/bin
STATE := .state
# For make demo: 1 slows each step down.
SLOW ?=
# For make chaos: the number of orders, the seed, and one node or a pool of nodes.
ORDERS ?= 200
SEED ?= 2
NODES ?= one
# For make conformance and surfpool: a directory of program binaries; for surfpool its addon for node.
SURFPOOL ?=
PROGRAMS ?=
# For make outages: the duration of each, and a part of the names of the selected rows.
SECONDS ?= 5
ONLY ?=
# For make bench-compare: the commit.
REF ?= HEAD
# The fastest Python on the path: one that pyenv has compiled without optimization needs a seventh more CPU.
PYTHON ?= $(shell IFS=:; for folder in $$PATH; do for version in 3 3.11 3.12 3.13 3.14; do "$$folder/python$$version" -c '$(SPEED)'; \
	done; done 2>/dev/null | LC_ALL=C sort -n | head -n 1 | cut -d ' ' -f 2-)
SPEED := import ensurepip, sys, time, timeit, venv; sys.version_info >= (3, 11) and print(min(timeit.repeat( \
	"[Fraction(n, 7) + Fraction(n, 9) for n in range(300)]", "from fractions import Fraction", time.process_time, 20, 1)), sys.executable)
# For make package: the Pythons that install the built packages.
PYTHONS ?= $(PYTHON)
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.DEFAULT_GOAL := help
.PHONY: help demo run test check format mutants conformance sdks surfpool soak chaos fuzz bench bench-clients bench-compare outages proof systemd docs package snapshots reference pictures constraints clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/installed  ## Start everything in a temporary directory, trade 1.5 SOL for USDC, stop everything; SLOW=1
	@$(BIN)/orderd demo $(if $(filter-out 0,$(SLOW)),--slow)

run: $(VENV)/installed  ## The daemon in the foreground with its own services; its state is kept in .state
	@ORDERD_LOG_FORMAT=$${ORDERD_LOG_FORMAT:-console} $(BIN)/orderd run --state-dir $(STATE)

# Keep compiled files, whatever the environment says: the tests start hundreds of processes.
test: export PYTHONDONTWRITEBYTECODE :=
test: $(VENV)/installed-dev  ## All tests, and the coverage of the maths and the domain
	$(BIN)/pytest --workers 6 --cov --cov-report=term:skip-covered

check: $(VENV)/installed-dev  ## Style, types and the rules of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/installed-dev  ## Format the code, and fix what can be fixed automatically
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

mutants: $(VENV)/installed-dev  ## Insert small faults into the lines that guard money; the tests must fail for each
	$(BIN)/python -m tests.mutants

conformance: $(VENV)/installed-dev  ## The local chain's handlers against the real programs; PROGRAMS=directory of <program id>.so
	@test -n "$(PROGRAMS)" || { echo "Name a directory of program binaries: make conformance PROGRAMS=DIRECTORY (docs/conformance.md)" >&2; exit 2; }
	$(BIN)/python -m tests.conformance '$(PROGRAMS)'

sdks: $(VENV)/installed-dev  ## The local chain as the SDKs of Raydium and Meteora see it, which npm installs into a temporary directory
	$(BIN)/python -m tests.sdks

surfpool: $(VENV)/installed-dev  ## The same 300 orders on simnet and on surfpool; SURFPOOL=its addon PROGRAMS=directory
	@test -n "$(SURFPOOL)" -a -n "$(PROGRAMS)" || { echo "Name surfpool and the programs: make surfpool SURFPOOL=ADDON PROGRAMS=DIRECTORY (docs/conformance.md)" >&2; exit 2; }
	$(BIN)/python -m tests.surfpool '$(SURFPOOL)' '$(PROGRAMS)'

soak: $(VENV)/installed-dev  ## 1,000 orders: each lands exactly once, and the balances agree to the last base unit
	$(BIN)/pytest -m soak

chaos: $(VENV)/installed-dev  ## 200 orders while the daemon and the chain are killed and the network loses messages
	ORDERS=$(ORDERS) SEED=$(SEED) NODES=$(NODES) $(BIN)/pytest -m chaos

fuzz: $(VENV)/installed-dev  ## Send invalid and random requests and frames to the port for ten minutes
	$(BIN)/pytest -m fuzz

bench: $(VENV)/installed-dev  ## CPU per order, rates and latencies, beside a baseline on the same machine
	$(BIN)/python -m benchmarks

bench-clients: $(VENV)/installed-dev  ## Latency of orderctl and of the full screen, and thousands of subscribers
	$(BIN)/python -m benchmarks.subscribers
	$(BIN)/python -m benchmarks.orderctl
	$(BIN)/python -m benchmarks.tui

bench-compare: $(VENV)/installed-dev  ## Compare this code with that of a commit (REF) in alternating runs, as ratios
	$(BIN)/python -m benchmarks.compare $(REF)

snapshots: $(VENV)/installed-dev  ## Record the output of orderctl and the pictures of its screens again; read the diff
	$(BIN)/pytest --snapshot-update tests/acceptance/orderctl/test_golden.py tests/unit/orderctl/tui/test_pictures.py

reference: $(VENV)/installed-dev  ## Write the tables of settings and errors into docs, .env.example, and the Postman collection
	$(BIN)/python -m orderd.config.reference
	$(BIN)/python -m docs.postman

docs: $(VENV)/installed-dev  ## The documents as a site in build/site, with every link checked
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

outages: $(VENV)/installed-dev  ## What the daemon answers and settles while each service is away for SECONDS (5), as a table
	SECONDS=$(SECONDS) ONLY='$(ONLY)' $(BIN)/python -m benchmarks.outages

proof: $(VENV)/installed-dev  ## Orders of all kinds on hosts that are killed, frozen and cut off, checked against the chain; ORDERS=200 SEED=2 NODES=pool; as root
	ORDERS=$(ORDERS) SEED=$(SEED) NODES=$(NODES) unshare --net --mount $(BIN)/python -m tests.proof

systemd: $(VENV)/installed  ## The units of deploy/ under a real systemd in a container, or in another system (SYSTEM); as root, with Debian's systemd-container
	@command -v systemd-nspawn >/dev/null || { echo "Install systemd-nspawn (Debian: apt-get install systemd-container)" >&2; exit 2; }
	unshare --mount tests/systemd/boot.sh '$(CURDIR)' '$(CURDIR)/$(VENV)' $(SYSTEM)

pictures: $(VENV)/installed-dev  ## Draw the pictures of the documents, from the real programs; needs tmux and Chromium
	$(BIN)/python -m docs.pictures

constraints: $(VENV)/installed-dev  ## Write the installed versions to constraints.txt
	{ head -n 1 constraints.txt; $(BIN)/python -m pip freeze --exclude-editable; } > constraints.new
	mv constraints.new constraints.txt

package: $(BIN)/python  ## The wheel and the source distribution: built, checked, installed and used with each of PYTHONS
	tests/package.sh $(PYTHONS)

clean:  ## Remove what was installed or generated; the state (and the wallet in it) stays
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@python="$(PYTHON)"; test -n "$$python" || { echo "Python 3.11 or newer with venv is needed; name one with: make PYTHON=/path/to/python3" >&2; exit 1; }; \
	"$$python" -m venv $(VENV)

$(VENV)/installed: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP_INSTALL) --editable '.[all]'
	@touch $@

$(VENV)/installed-dev: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP_INSTALL) --editable '.[dev]'
	@touch $@ $(VENV)/installed
