.PHONY: build test lint format imports budget check bench notebooks samples clean try

build:
	swift build -c release

try:
	scripts/try.sh

test:
	scripts/test.sh

lint:
	swift format lint --strict -p -r Sources Tests notebooks-as-scripts Package.swift

format:
	swift format -i -p -r Sources Tests notebooks-as-scripts Package.swift

imports:
	python3 scripts/check_imports.py

budget:
	python3 scripts/check_budget.py

check: lint imports budget test

bench:
	swift build -c release --product imgen
	.build/release/imgen bench

notebooks:
	swift run -c release train-a-classifier
	swift run -c release gan-on-fashion-mnist
	swift run -c release what-a-gan-sees

samples:
	scripts/samples.sh

clean:
	swift package clean
