# make demo     install everything and render the demo song into out/demo
# make test     install everything, check style, types and rooms, run the tests
# make bench    print every number in the documentation, side by side with its peers
# make voices   train the shipped voices anew
# make models   train the shipped spectral autoencoder and the ears of the figures anew
# make notebooks   run the notebooks in a real JupyterLab and take their pictures anew
# make lock     write the lists of what the first two install anew, with hashes
# make sbom     write dist/mirepoix.cdx.json: what is installed with the studio, with licences and hashes (CycloneDX)
# make wheels   build the wheels of all systems into dist/, and look into each
# make newest   run the tests with the newest of everything
# make bench-stretch   the battery of time and pitch alone
#
# Python packages go into the active virtual environment, or into .venv when none is active. System packages are
# installed with apt-get where there is one; README.md has the lines for other systems.

PYTHON ?= python3
ENV    := $(if $(VIRTUAL_ENV),$(VIRTUAL_ENV),$(CURDIR)/.venv)
BIN    := $(ENV)/bin

# Installed on its own and first: asked for by others it comes with gigabytes for graphics cards.
TORCH ?= torch==2.13.0

# What the studio needs to run, and what its tests compare it with.
RUN_PACKAGES  := python3-venv libfluidsynth3
TEST_PACKAGES := chromium fluidsynth fluid-soundfont-gm sf3convert ffmpeg rubberband-cli espeak-ng g++ lilv-utils polyphone ardour jackd2 libasound2-plugins \
	zam-plugins amsynth zynaddsubfx-vst dpf-plugins-vst cmake ninja-build juce-modules-source juce-tools \
	pkg-config libfreetype-dev libx11-dev libxext-dev libxrandr-dev libxinerama-dev libxcursor-dev
# Node.js from elsewhere than Debian brings npm along, and does not stand Debian's beside it.
TEST_PACKAGES += $(if $(shell command -v npm),,nodejs npm)
# Plugins that only the benchmark goes through: there are very many of them.
BENCH_PACKAGES := lsp-plugins-vst lsp-plugins-lv2 calf-plugins x42-plugins dragonfly-reverb-lv2 mda-lv2 swh-lv2 guitarix-lv2 fomp blop-lv2 \
	invada-studio-plugins-lv2 dpf-plugins-lv2 eq10q avldrums.lv2

.PHONY: demo test lint bench bench-stretch voices models notebooks wheels run-packages test-packages bench-packages lock sbom newest clean

demo: run-packages $(ENV)/.mirepoix
	$(BIN)/studio render demo -o out/demo
	@echo "Open out/demo/report.html to see and hear it."

test: test-packages $(ENV)/.mirepoix-dev lint
	$(BIN)/python -m pytest -n auto --dist worksteal -q

lint: $(ENV)/.mirepoix-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: bench-packages $(ENV)/.mirepoix-bench
	$(BIN)/python -m tests.benchmarks

bench-stretch: test-packages $(ENV)/.mirepoix-bench
	$(BIN)/python -m tests.benchmarks stretch

WHEELS := linux-x86_64 linux-aarch64 macos windows
wheels: $(ENV)/.mirepoix-dev
	@for system in $(WHEELS); do \
		MIREPOIX_WHEEL=$$system $(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist . || exit 1; \
	done
	$(BIN)/python -m tests.wheels dist

notebooks: test-packages $(ENV)/.mirepoix-dev
	$(BIN)/python -m tests.widgets.notebook_pictures

# The shipped voices: name, General MIDI program, lowest and highest note.
VOICES := violin:40:55:96 cello:42:36:72 flute:73:60:93 oboe:68:58:88 trumpet:56:54:84 saxophone:65:49:80 choir:52:48:79 lead:81:40:88
named = $(foreach each,$(1),$(word 1,$(subst :, ,$(each)))=fluid:$(word 2,$(subst :, ,$(each))):$(word 3,$(subst :, ,$(each))):$(word 4,$(subst :, ,$(each))))
SECTION_MINUTES ?= 25
VOICE_MINUTES ?= 4

voices: test-packages $(ENV)/.mirepoix-dev
	$(BIN)/studio train voice $(call named,$(VOICES)) --minutes $(SECTION_MINUTES) --license MIT -o presets/voices/orchestra.voice
	@for voice in $(VOICES); do \
		set -- $$(echo $$voice | tr : ' '); \
		$(BIN)/studio train voice --soundfont fluid:$$2 --low $$3 --high $$4 --minutes $(VOICE_MINUTES) \
			--from presets/voices/orchestra.voice --license MIT -o presets/voices/$$1.voice || exit 1; \
	done

# The instruments of the shipped spectral autoencoder: the voices, and what sounds in several octaves at once or dies away.
PLAYERS := $(VOICES) clarinet:71:50:89 organ:16:36:84 piano:0:33:88
ORCHESTRA := $(call named,$(PLAYERS))
ORCHESTRA_MINUTES ?= 15
EARS_MINUTES ?= 4

models: test-packages $(ENV)/.mirepoix-dev
	$(BIN)/studio train ears --font fluid --minutes $(EARS_MINUTES) -o presets/models/instruments.ears
	$(BIN)/studio train spectral $(ORCHESTRA) --minutes $(ORCHESTRA_MINUTES) --license MIT -o presets/models/orchestra.spectral

# What is locked is installed with its hashes; `make lock` writes the lists anew, `make newest` tries what is newer.
locked = $(BIN)/python -m pip install --quiet --require-hashes --requirement .ci/lock-$(1).txt && \
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .

$(ENV)/.mirepoix: pyproject.toml .ci/lock-run.txt | $(BIN)/python
	$(call locked,run)
	@touch $@

$(ENV)/.mirepoix-dev: pyproject.toml .ci/lock-dev.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet '$(TORCH)'
	$(call locked,dev)
	@touch $@ $(ENV)/.mirepoix

$(ENV)/.mirepoix-bench: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet '$(TORCH)'
	$(BIN)/python -m pip install --quiet --editable '.[dev,bench]'
	@touch $@

$(BIN)/python: | run-packages
	$(PYTHON) -m venv $(ENV)

# Installs only what is not there, so that a second run asks for no password and no network.
define apt
	@missing=""; \
	for package in $(1); do dpkg -s $$package >/dev/null 2>&1 || missing="$$missing $$package"; done; \
	if [ -n "$$missing" ]; then \
		if ! command -v apt-get >/dev/null; then \
			echo "Install these with your package manager (see README.md):$$missing"; \
		else \
			sudo=$$([ "$$(id -u)" = 0 ] || echo sudo); \
			$$sudo apt-get update -qq && \
			$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
		fi; \
	fi
endef

run-packages:
	$(call apt,$(RUN_PACKAGES))

test-packages: run-packages
	$(call apt,$(TEST_PACKAGES))

bench-packages: test-packages
	$(call apt,$(BENCH_PACKAGES))

# Keeps up the lists of what is installed, from this environment, in which all tests should have passed.
lock: $(ENV)/.mirepoix-dev
	.ci/lock $(BIN)/python

# The bill of materials of what `make demo` installs. Its writer lives on its own, and looks up licences in this environment.
sbom: $(ENV)/.mirepoix
	$(PYTHON) -m venv build/sbom
	build/sbom/bin/python -m pip install --quiet 'cyclonedx-python-lib[json-validation]>=11'
	PYTHONPATH="$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" build/sbom/bin/python .ci/sbom dist/mirepoix.cdx.json

# The tests with the newest of everything, in an environment of its own; what that was is in out/newest.txt.
newest: test-packages
	$(PYTHON) -m venv build/newest
	build/newest/bin/python -m pip install --quiet '$(firstword $(subst ==, ,$(TORCH)))'
	build/newest/bin/python -m pip install --quiet --upgrade --upgrade-strategy eager --editable '.[dev]'
	mkdir -p out && build/newest/bin/python -m pip freeze --exclude-editable >out/newest.txt
	build/newest/bin/python -m pytest -n auto --dist worksteal -q

clean:
	rm -rf out build dist .venv
