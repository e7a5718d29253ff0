# Every command that people and CI use. `make` alone lists them.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
PYTHON ?= python3
FUZZ_SECONDS ?= 60
FUZZ_TARGETS ?= scan outline tensor model rules choices queries numbers films safetensors pytorch dcp hdf5 keras tensorflow npz onnx shelf zip ocdbt zarr msgpack
# Short inputs are quick, and a tensor of many bytes says no more than one of a few.
FUZZ_OPTIONS_scan := -max_len=1024
# What the address sanitizer looks for, our own code cannot do; without it there are thousands of files a second in place of hundreds.
FUZZ_PLAIN := scan safetensors pytorch dcp hdf5 keras tensorflow npz onnx shelf zip ocdbt zarr msgpack
FUZZ_OPTIONS_safetensors := -max_len=16384 -dict=fuzz/words/safetensors.dict
FUZZ_OPTIONS_keras := -max_len=65536 -dict=fuzz/words/keras.dict
FUZZ_OPTIONS_zip := -max_len=2048
FUZZ_OPTIONS_shelf := -max_len=8192
FUZZ_OPTIONS_ocdbt := -max_len=4096
FUZZ_OPTIONS_zarr := -max_len=8192 -dict=fuzz/words/zarr.dict
FUZZ_OPTIONS_msgpack := -max_len=4096
FUZZ_OPTIONS_rules := -max_len=4096 -dict=fuzz/words/rules.dict
FUZZ_OPTIONS_queries := -max_len=1024 -dict=fuzz/words/queries.dict
FUZZ_OPTIONS_numbers := -max_len=1024 -len_control=0
FUZZ_OPTIONS_films := -max_len=1024 -len_control=0
SCRIPTS := tests/fixtures tests/conformance benches demo python
# Programs that are tested keep nothing in the home of whoever runs them.
export XDG_STATE_HOME := $(CURDIR)/target/state

CHROMIUM ?= $(firstword $(shell command -v chromium) $(shell command -v chromium-browser) $(shell command -v google-chrome))
export CHROMIUM

# In CI a tool that is missing is a failure and never a reason to skip something.
need = command -v $(1) >/dev/null || { echo "make: $(1) is missing: $(2)" >&2; exit 1; }

.PHONY: help setup setup-python setup-page setup-browser test test-rust test-films test-page test-schema test-browser test-scripts \
	test-python test-wheel conformance test-tensorflow test-training test-export test-tensorboard test-torch test-jax test-installed hostile lint \
	map probes writers bench bench-checkpoints bench-shelf endurance soak schema dist wheel screenshot tensorboard-picture fuzz clean-setup

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

# Set-up. Stamps lie inside of what they stand for, so removing that starts anew.

setup: setup-python setup-page setup-browser ## Python packages, page packages, a browser

setup-python: $(VENV)/.stamp
$(VENV)/.stamp: requirements-test.txt
	@$(call need,$(PYTHON),install Python 3.11 or newer with its venv module)
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install -q --disable-pip-version-check -r requirements-test.txt
	touch $@

setup-page: frontend/node_modules/.stamp
frontend/node_modules/.stamp: frontend/package.json frontend/package-lock.json
	@$(call need,npm,install Node 20.19 or newer)
	cd frontend && npm ci
	touch $@

setup-browser:
	@if [[ -n "$(CHROMIUM)" ]]; then \
		command -v "$(CHROMIUM)" >/dev/null || { echo "make: CHROMIUM=$(CHROMIUM) is no program" >&2; exit 1; }; \
	elif [[ "$$(id -u)" == 0 ]] && command -v apt-get >/dev/null; then \
		apt-get update -q && apt-get install -y -q --no-install-recommends chromium; \
	else \
		echo "make: no Chromium: install it (apt-get install chromium), or name one in CHROMIUM" >&2; exit 1; \
	fi

# Tests.

test: setup test-rust test-films test-page test-schema test-browser test-scripts test-python test-wheel conformance ## everything except PyTorch and JAX

test-rust:
	cargo test --locked

test-films: setup-python
	cargo build --locked
	$(VENV)/bin/python tests/fixtures/check_films.py target/debug/convscope

test-page: setup-page
	cd frontend && npm test

test-schema: setup-page ## whether the page's types are those that the program serves
	cargo build --locked
	cd frontend && CONVSCOPE_BIN="$(CURDIR)/target/debug/convscope" npm run schema -- --check

test-browser: setup-page setup-browser
	cargo build --locked
	cd frontend && CONVSCOPE_BIN="$(CURDIR)/target/debug/convscope" \
		CHROMIUM="$${CHROMIUM:-$$(command -v chromium)}" npm run e2e

test-scripts: setup-python
	$(VENV)/bin/ruff check --no-cache $(SCRIPTS)
	$(VENV)/bin/ruff format --no-cache --check $(SCRIPTS)

test-python: setup-python ## the tests of the Python package that need no framework, and mypy
	cargo build --locked
	CONVSCOPE_BIN="$(CURDIR)/target/debug/convscope" $(VENV)/bin/python -m pytest
	$(VENV)/bin/mypy

test-wheel: setup-python ## a wheel of the debug build, in a fresh environment
	$(VENV)/bin/maturin build --locked --profile dev -o target/wheels/debug
	$(VENV)/bin/python python/tests/check_wheel.py target/wheels/debug

# Against unmodified TensorFlow, Keras 3 and 2, and TensorBoard.

conformance: test-tensorflow test-training test-export test-tensorboard ## against unmodified TensorFlow, Keras and TensorBoard

test-tensorflow: setup-python
	cargo build --locked
	CONVSCOPE_BIN="$(CURDIR)/target/debug/convscope" TF_CPP_MIN_LOG_LEVEL=3 \
		$(VENV)/bin/python -m pytest python/tests/with_tensorflow python/tests/with_keras

test-training: setup-python setup-page setup-browser
	cargo build --locked
	TF_CPP_MIN_LOG_LEVEL=3 $(VENV)/bin/python tests/conformance/training.py keras --keep target/keras.png
	$(VENV)/bin/python tests/conformance/shelf.py --only keras_model_checkpoint

test-export: setup-python
	cargo build --locked
	$(VENV)/bin/python tests/conformance/export_tensorboard.py

# The oldest and the newest TensorBoard that the tab is made for. Without TensorFlow they start in 2 s instead of 6.

TENSORBOARDS := target/venv-tensorboard-2.14 target/venv-tensorboard-2.21

test-tensorboard: setup-python setup-page setup-browser $(TENSORBOARDS:=/.stamp) ## the tab in TensorBoard 2.14 and 2.21
	cargo build --locked
	for board in $(TENSORBOARDS); do $$board/bin/python tests/conformance/tensorboard_tab.py; done

# What a user has: the released wheel in a new environment, first with the one and then with the other.

test-installed: wheel setup-page setup-browser ## the wheel in new environments with TensorBoard 2.14 and 2.21; pictures under target/
	for version in 2.14 2.21; do \
		$(PYTHON) -m venv --clear target/venv-installed; \
		target/venv-installed/bin/pip install -q --disable-pip-version-check \
			-r python/tests/requirements-tensorboard-$$version.txt "$$(ls -t target/wheels/convscope-*.whl | head -n 1)"; \
		target/venv-installed/bin/python tests/conformance/tensorboard_tab.py --installed --keep target/tab-$$version.png; \
	done

# Logs, files, rules and requests that are made to harm.

hostile: setup-python ## hundreds of hostile logs, checkpoints, rules and requests against the program
	cargo build --locked
	$(VENV)/bin/python tests/conformance/hostile

# PyTorch and JAX take gigabytes, so they have environments of their own and are no part of `make test`.

test-torch: target/venv-torch/.stamp setup-python setup-page setup-browser ## PyTorch, and Keras on it; installs PyTorch under target/
	cargo build --locked
	CONVSCOPE_BIN="$(CURDIR)/target/debug/convscope" target/venv-torch/bin/python -m pytest python/tests/with_torch
	target/venv-torch/bin/python tests/conformance/training.py torch --keep target/torch.png
	$(VENV)/bin/python tests/conformance/shelf.py --only torch_save --only lightning_default \
		--python target/venv-torch/bin/python
	CONVSCOPE_BIN="$(CURDIR)/target/debug/convscope" KERAS_BACKEND=torch \
		target/venv-torch/bin/python -m pytest python/tests/with_keras

test-jax: target/venv-jax/.stamp setup-python ## JAX and Flax, and Keras on JAX; installs them under target/
	cargo build --locked
	CONVSCOPE_BIN="$(CURDIR)/target/debug/convscope" target/venv-jax/bin/python -m pytest python/tests/with_jax
	CONVSCOPE_BIN="$(CURDIR)/target/debug/convscope" KERAS_BACKEND=jax \
		target/venv-jax/bin/python -m pytest python/tests/with_keras
	KERAS_BACKEND=jax $(VENV)/bin/python tests/conformance/shelf.py --only flax_default --only keras_orbax \
		--python target/venv-jax/bin/python

probes: setup-python target/venv-torch/.stamp ## a table of the probes that were tried with Keras and PyTorch; installs PyTorch under target/
	cargo build --locked
	CONVSCOPE_BIN="$(CURDIR)/target/debug/convscope" TF_CPP_MIN_LOG_LEVEL=3 \
		$(VENV)/bin/python -m pytest --probes python/tests/with_keras/test_keras_probe.py \
		python/tests/with_tensorflow/test_keras_2.py
	CONVSCOPE_BIN="$(CURDIR)/target/debug/convscope" \
		target/venv-torch/bin/python -m pytest --probes python/tests/with_torch/test_watch_probe.py

target/venv-%/.stamp: python/tests/requirements-%.txt
	@$(call need,$(PYTHON),install Python 3.11 or newer with its venv module)
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/pip install -q --disable-pip-version-check -r $<
	touch $@

lint: setup-page ## clippy, links in doc comments, rustfmt, tsc, Biome
	cargo clippy --locked --all-targets -- -D warnings
	cargo rustdoc --locked --lib -- --document-private-items -D rustdoc::broken_intra_doc_links
	$(MAKE) --no-print-directory map >/dev/null
	cargo fmt --check
	cd frontend && npm run typecheck && npm run lint

# What is made for others.

map: ## each file of the program, the Python package and the page, with the first paragraph of its doc comment
	@find src python/convscope frontend/src \( -name '*.rs' -o -path 'python/*.py' -o -name '*.ts' -o -name '*.tsx' -o -name '*.css' \) \
		! -name tests.rs ! -name '*.test.ts' | LC_ALL=C sort | xargs awk -f .ci/map.awk

writers: ## three tables: how much of real logs, of checkpoints and of published networks is recognized
	cargo test --locked --test it -- --nocapture --test-threads 1 writers_are_understood networks_are_understood

bench: setup-python ## a table of other programs and ConvScope, measured in turn; writes 2 GB of logs once, under target/bench
	cargo build --locked --release
	$(VENV)/bin/python benches/bench.py

bench-checkpoints: setup-python ## how quickly checkpoints of 2 GB are shown, and what is read of many; fails if a limit is exceeded
	cargo build --locked --release
	$(VENV)/bin/python benches/checkpoints.py

bench-shelf: setup-python ## whether each save of a training that keeps one file is kept, and what that costs; fails if a limit is exceeded
	cargo build --locked --release
	$(VENV)/bin/python benches/shelf.py

endurance: setup-python ## a table of memory, CPU time and response times of the release build under attack; fails if a limit is exceeded
	cargo build --locked --release
	$(VENV)/bin/python benches/endurance --check

soak: setup-python ## an hour of normal use of the release build, and whether its memory grows
	cargo build --locked --release
	$(VENV)/bin/python benches/soak.py

schema: setup-page ## the types of the API's answers into frontend/src/api/schema.ts, from what the program serves
	cargo build --locked
	cd frontend && CONVSCOPE_BIN="$(CURDIR)/target/debug/convscope" npm run schema

dist: setup-page ## build the page into frontend/dist
	cd frontend && npm run build

wheel: setup-python ## the Python package with the program in it, for this kind of machine, into target/wheels
	$(VENV)/bin/maturin build --locked --release -o target/wheels

screenshot: setup-page setup-browser ## docs/screenshot.png, from the demo
	cargo build --locked
	cd frontend && CONVSCOPE_BIN="$(CURDIR)/target/debug/convscope" \
		CHROMIUM="$${CHROMIUM:-$$(command -v chromium)}" npm run screenshot -- ../docs/screenshot.png

tensorboard-picture: setup-page setup-browser target/venv-tensorboard-2.21/.stamp ## docs/tensorboard.png, from the demo's recording
	cargo build --locked
	target/venv-tensorboard-2.21/bin/python tests/conformance/tensorboard_tab.py --screenshot docs/tensorboard.png

fuzz: ## each of FUZZ_TARGETS for FUZZ_SECONDS (60); see fuzz/README.md
	@$(call need,cargo-fuzz,cargo install cargo-fuzz --locked)
	mkdir -p fuzz/corpus/scan
	find tests/fixtures -name '*tfevents*' -size -64k -exec cp -u {} fuzz/corpus/scan/ \;
	mkdir -p $(addprefix fuzz/corpus/,safetensors pytorch dcp hdf5 keras tensorflow npz onnx shelf zip ocdbt zarr msgpack)
	seeds() { local target=$$1; shift; find tests/fixtures/checkpoints -type f "$$@" -print0 | while IFS= read -r -d '' file; do \
		cp -u "$$file" "fuzz/corpus/$$target/$$(tr / _ <<< "$$file")"; done; }; \
	seeds safetensors -size -16k -name '*.safetensors*'; \
	seeds pytorch -size -32k -path '*/pytorch/*' \( -name '*.p*t*' -o -name '*.ckpt' \); \
	seeds hdf5 -size -64k -name '*.h5'; \
	seeds keras -size -64k \( -name '*.keras' -o -name '*.h5' -o -path '*/keras/*/*.json' \); \
	seeds tensorflow -path '*/tensorflow/*' \( -name '*.index' -o -name 'model.ckpt-*' ! -name '*.data-*' \); \
	seeds dcp -size -32k -path '*/dcp/*' \( -name .metadata -o -name '*.distcp' \); \
	seeds npz -size -32k -name '*.npz'; \
	seeds onnx -size -32k -name '*.onnx'; \
	seeds zip -size -12k -path '*/pytorch/*' -name '*.p*t*'; \
	seeds ocdbt -size -8 -path '*/jax/*' \( -name 'manifest*' -o -path '*/d/*' \); \
	seeds zarr -size -16 -path '*/jax*/*' \( -name _METADATA -o -name .zarray -o -name zarr.json \); \
	seeds msgpack -size -48 \( -path '*/jax*/checkpoint*' -o -name '*.msgpack' \)
	cp -u fuzz/words/shelf.json fuzz/corpus/shelf/
	$(PYTHON) -c 'import pathlib, sys, zipfile; \
		[pathlib.Path("fuzz/corpus/keras", path.replace("/", "_") + ".json").write_bytes(zipfile.ZipFile(path).read("config.json")) \
		for path in sys.argv[1:]]' $$(find tests/fixtures/checkpoints/keras -name '*.keras')
	$(foreach target,$(FUZZ_TARGETS),RUSTC_BOOTSTRAP=1 cargo fuzz run $(if $(filter $(target),$(FUZZ_PLAIN)),-s none --target-dir fuzz/target-plain) \
		$(target) -- -max_total_time=$(FUZZ_SECONDS) \
		-rss_limit_mb=1024 $(or $(FUZZ_OPTIONS_$(target)),-max_len=65536);)

clean-setup: ## remove the packages that setup installed
	rm -rf $(VENV) frontend/node_modules
