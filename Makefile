# `make demo` and `make test` need Python 3.11+ and make, nothing else; the rest is in README.md.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

CONFIG ?= configs/local.yaml
GAMES ?= ../shared/data/games.parquet
EVENTS ?= ../shared/data/score_events.parquet
URL ?= http://127.0.0.1:$(or $(PORT),8000)
ARGS ?=

.PHONY: install demo serve test check format train backtest backtest-full report replay bench bench-push bench-page chaos fuzz clean

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[serve,backtest,dev]'
	touch $(READY)

install: $(READY)

# One real night through the service; DEMO_EXIT=1 ends by itself.
demo: $(READY)
	$(BIN)/python scripts/demo.py $(if $(PORT),--port $(PORT)) $(ARGS)

# The service in the foreground, until SIGINT or SIGTERM.
serve: $(READY)
	exec $(BIN)/python scripts/serve.py --config $(CONFIG) $(if $(PORT),--port $(PORT)) $(if $(DATA_DIR),--data-dir $(DATA_DIR))

# The services of the end-to-end tests want all cores: those run alone, after the others.
# With ARGS it is one run of what they name: ARGS="-k webhook" make test
test: $(READY)
ifeq ($(ARGS),)
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile tests/models tests/serve_app
	$(BIN)/python -m pytest tests/end_to_end
else
	$(BIN)/python -m pytest $(ARGS)
endif

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(MAKE) test

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# UNTIL=2022 OUT=/tmp/bundle make train
UNTIL ?= 2023
OUT ?= build/nba-$(UNTIL)
train: $(READY)
	$(BIN)/python scripts/train.py --games $(GAMES) --events $(EVENTS) --until $(UNTIL) --out $(OUT) $(ARGS)

# The shipped night by the shipped bundle: a report within seconds.
REPORT ?= build/backtest
NIGHT := models/bundles/demo_night
backtest: $(READY)
	$(BIN)/python scripts/backtest.py --games $(NIGHT)/games.parquet --events $(NIGHT)/events.parquet --bundle models/bundles/nba-2023 --minutes 3,6,9,12,15,18,21,23,24,27,30,33,36,39,42,45,47 --out $(REPORT) $(ARGS)

# Rolling origin over all seasons by WORKERS processes; after a stop the same command goes on.
WORKERS ?= 2
backtest-full: $(READY)
	$(BIN)/python scripts/backtest.py --games $(GAMES) --events $(EVENTS) --rolling-origin --workers $(WORKERS) --out $(REPORT)-full $(ARGS)

# One page of a night of the store in DATA_DIR: make report DATE=2024-04-14; with a service, ARGS="--url URL".
report: $(READY)
	$(BIN)/python scripts/report.py --date $(DATE) --out build/night-$(DATE).html $(if $(DATA_DIR),--data-dir $(DATA_DIR)) $(ARGS)

# ARGS="--date 2024-01-05 --speed max --report report.json" make replay
replay: $(READY)
	$(BIN)/python scripts/replay.py --games $(GAMES) --events $(EVENTS) --url $(URL) $(ARGS)

# The service's latency and updates a second, then the store's, then the speed of scoring games.
bench: $(READY)
	$(BIN)/python scripts/bench.py $(ARGS)
	$(BIN)/python scripts/bench_store.py
	$(BIN)/python scripts/bench_scoring.py

# The live feed: crossing to watcher, broadcasts to 1,000 and 5,000 clients, 10,000 reconnects.
bench-push: $(READY)
	$(BIN)/python scripts/bench_push.py $(ARGS)

# The page in a real browser (Debian's chromium): bytes, first paint, layout shift with 15 live games.
bench-page: $(READY)
	$(BIN)/python scripts/bench_page.py $(ARGS)

# 100 games while 200 processes are killed; some 30 minutes. It ends in a certificate.
chaos: $(READY)
	$(BIN)/python scripts/chaos.py --games-file $(GAMES) --events-file $(EVENTS) $(ARGS)

# The whole contract, 10,000 malformed bodies and hostile watchers against the real service.
fuzz: $(READY)
	$(BIN)/python scripts/fuzz.py $(ARGS)

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
