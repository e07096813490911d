# `make` alone lists the targets: setting up installs system packages and downloads libtorch, and that should be
# asked for. Every target is safe to repeat and does only what has changed.

PREFIX ?= /usr/local

# Release for everything, so that the demo and the tests share one build. TORCH_DIR has done its part once `setup`
# has linked .deps/torch; passing it on would make a second set of build flags.
SWIFT := env -u TORCH_DIR swift
RELEASE := --configuration release

.PHONY: help setup build demo test fuzz bench install format clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 18
	@echo
	@echo '  TORCH=cpu|cuda   the libtorch to fetch (default: cuda where nvidia-smi lists a GPU, otherwise cpu)'
	@echo '  TORCH_DIR=DIR    a libtorch already there: the `torch` folder that holds lib and include'
	@echo '  PREFIX=DIR       where `make install` puts bin/segment (default: $(PREFIX))'

setup: ## install system packages and fetch libtorch into .deps
	@bash scripts/setup.sh

build: setup ## build .build/release/segment
	$(SWIFT) build $(RELEASE) --product segment

demo: build ## train on sample-data, segment a volume and score the result
	.build/release/segment run pipelines/demo.yaml

# Tests run side by side: a thread that waits must not spin.
test: setup ## build and run all tests
	$(SWIFT) build $(RELEASE) --build-tests
	OMP_WAIT_POLICY=passive $(SWIFT) test $(RELEASE) --skip-build

fuzz: setup ## read 20,000 damaged files; FUZZ='--seed N --only K' repeats one
	bash scripts/fuzz.sh $(FUZZ)

bench: build ## compare with tifffile, h5py, cc3d, scikit-image and PyTorch; memory by size; runs that end
	@status=0; bash Benchmarks/read.sh || status=1; bash Benchmarks/stream.sh || status=1; \
	bash Benchmarks/label.sh || status=1; bash Benchmarks/network.sh || status=1; \
	bash Benchmarks/predict.sh || status=1; bash Benchmarks/scale.sh || status=1; bash Benchmarks/crash.sh || status=1; \
	exit $$status

install: build ## put segment and its libraries below PREFIX
	bash scripts/install.sh "$(PREFIX)"

format: ## format the Swift code in place
	swift format --in-place --recursive --parallel Package.swift Sources Tests Fuzz/Sources Benchmarks/Sources

clean: ## delete what was built; .deps and results stay
	rm -rf .build
