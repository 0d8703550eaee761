# A thin front for meson and ninja.  `make setup` installs what is missing; everything else calls it first.
BUILD ?= build
PREFIX ?= /usr/local
JOBS ?= 2

all: $(BUILD)/build.ninja
	ninja -C $(BUILD) -j $(JOBS) qanat

# What is installed is remembered by tools/setup itself; a second run costs nothing worth caching.
setup:
	@tools/setup

$(BUILD)/build.ninja: | setup
	meson setup $(BUILD) --prefix $(PREFIX)

demo: all
	@tools/demo $(BUILD)/qanat

test:
	@tools/run-tests

bench: $(BUILD)/build.ninja
	ninja -C $(BUILD) -j $(JOBS)
	@tools/bench $(BUILD)

bench-rivals: all
	@tools/bench-rivals $(BUILD)

fuzz:
	@tools/fuzz

lint:
	@tools/lint

# Writes docs/rules: a page for each rule.
docs: all
	@rm -f docs/rules/*.md
	@$(BUILD)/qanat rules docs docs/rules --data data

# Writes docs/SURVIVAL.md and raises what the test insists on.
survival: all
	@tools/survival $(BUILD)

# Learns data/score/model.yaml and writes docs/SCORE.md; with COLLECT=yes it looks at the packages again first.
score: all
	@tools/learn-score $(BUILD) $(COLLECT)

install: all
	meson install -C $(BUILD) --no-rebuild

clean:
	rm -rf build build-asan build-fuzz

.PHONY: all setup demo test bench bench-rivals fuzz lint docs survival score install clean
