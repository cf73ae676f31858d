# Every command. `make` alone lists them.
SHELL := /bin/sh
PY := .venv/bin/python
.DEFAULT_GOAL := list

.PHONY: list setup demo dev test test-fast smoke bench bench-calls bench-mapping bench-views chaos lint fix audit requirements reference screenshots
COMPILE := .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

list: ## Lists the targets, a sentence each.
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 14

setup: .venv/ready .data/assets ## Makes the environment in .venv; does nothing when nothing changed.

.venv/ready: requirements/dev.txt
	@test -x $(PY) || python3 -m venv .venv
	@$(PY) -c 'import sys; sys.exit("Python 3.11 or newer is needed.") if sys.version_info < (3, 11) else 0'
	@.venv/bin/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/dev.txt
	@$(PY) -m runtime.browser
	@$(PY) -m runtime.pooler
	@$(PY) -m runtime.clock
	@touch $@

.data/assets: package-lock.json .venv/ready $(shell find static locale docs/images -type f -not -name '*.mo')
	@npm ci --silent --no-fund --no-audit
	@mkdir -p .data/vendor .data/fonts
	@cp node_modules/@procore/procore-iframe-helpers/dist/index.min.js .data/vendor/procore-iframe-helpers.js
	@grep -v sourceMappingURL node_modules/chart.js/dist/chart.umd.min.js > .data/vendor/chart.js
	@cp node_modules/dejavu-fonts-ttf/ttf/DejaVuSans.ttf node_modules/dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf .data/fonts
	@.venv/bin/pybabel --quiet compile --directory locale --domain django
	@set -a; . tests/check.env; $(PY) manage.py collectstatic --noinput --verbosity 0 --ignore ext
	@touch $@

demo: setup ## Runs everything with the Procore stand-in and prints the address to open.
	@exec $(PY) -m runtime.demo $(ARGS)

dev: setup ## As demo, on its own data; every process follows the source as you save it.
	@exec $(PY) -m runtime.demo --reload --data .data/dev $(ARGS)

lint: setup ## Format, lint, templates, imports, dependencies, types, migrations.
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/djlint --quiet --lint templates
	@.venv/bin/lint-imports > .data/lint-imports.log || { cat .data/lint-imports.log; exit 1; }
	@.venv/bin/deptry . 2> .data/deptry.log || { cat .data/deptry.log; exit 1; }
	@set -a; . tests/check.env; .venv/bin/mypy .
	@node_modules/.bin/tsc --noEmit
	@set -a; . tests/check.env; DJANGO_SETTINGS_MODULE=partner_app.settings $(PY) -m tests.migrations_check

fix: setup ## Repairs what tools can repair.
	@.venv/bin/ruff check --fix . ; .venv/bin/ruff format .

test-fast: setup ## Tests of plain functions: no service, no browser.
	@.venv/bin/pytest -m 'not slow' --hypothesis-profile quick

test: lint ## Every check: lint, then unit, integration and browser tests.
	@.venv/bin/pytest -n 2 --dist loadgroup --durations 40

smoke: setup ## Starts the demo, drives it with a browser from install to dashboard, stops it.
	@$(PY) -m runtime.smoke

reference: setup ## Renews docs/dev/reference from the code.
	@set -a; . tests/check.env; $(PY) -m tools.reference

screenshots: setup ## Renews docs/images with a browser.
	@$(PY) -m runtime.smoke --screenshots docs/images

audit: setup ## Checks hashes, dependencies and licences, and known advisories in a copy of their database (ADVISORIES).
	@$(PY) -m tools.audit

requirements: setup ## Renews requirements/ from pyproject.toml, pinned by hash, without index addresses.
	@$(COMPILE) --upgrade pyproject.toml -o requirements/base.txt
	@$(COMPILE) --upgrade --all-extras -c requirements/base.txt pyproject.toml -o requirements/dev.txt
	@$(COMPILE) --upgrade requirements/bench.in -o requirements/bench.txt

bench: setup .data/bench/ready ## Measures syncs, webhooks and the scheduler against floor and peers.
	@$(PY) -m benchmarks.sync --size S
	@$(PY) -m benchmarks.sync --size M --dlt .data/bench/bin/python
	@$(PY) -m benchmarks.sync --size M --dlt .data/bench/bin/python --latency-ms 50
	@$(PY) -m benchmarks.sync --size L --no-plain-loop --dlt .data/bench/bin/python
	@$(PY) -m benchmarks.webhooks
	@$(PY) -m benchmarks.hostile
	@$(PY) -m benchmarks.tick
	@$(PY) -m benchmarks.handoff
	@$(PY) -m benchmarks.views
	@$(PY) -m benchmarks.dashboard

bench-calls: setup ## Counts calls and minutes, in virtual time, until what people need is there.
	@$(PY) -m benchmarks.calls

bench-views: setup ## Measures the workspace's pages at growing sizes, at the server and in a browser.
	@$(PY) -m benchmarks.views

bench-mapping: setup ## Measures suggestions on real estimates of contractors kept out of tuning.
	@$(PY) -m benchmarks.mapping

.data/bench/ready: requirements/bench.txt
	@test -x .data/bench/bin/python || python3 -m venv .data/bench
	@.data/bench/bin/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $<
	@touch $@

chaos: setup ## Five hundred seeds of trouble during syncs and of answers that deviate; twenty rounds of kills; a long day; faults of the place; tenants behind a pooler.
	@CHAOS_SEEDS=500 .venv/bin/pytest tests/sync/test_engine.py -k loses_nothing
	@WILD_SEEDS=500 .venv/bin/pytest tests/sync/test_wild.py tests/embedded/test_wild_rights.py
	@KILL_SEEDS=20 DAY_ROUNDS=20 AWAY_SECONDS=30 .venv/bin/pytest tests/chaos
	@POOLED=1 .venv/bin/pytest tests/trust tests/tenancy tests/connections
