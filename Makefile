.PHONY: build test lint format imports budget check bench samples clean try

build:
	swift build -c release

try:
	scripts/try.sh

test:
	scripts/test.sh

lint:
	swift format lint --strict -p -r Sources Tests Package.swift

format:
	swift format -i -p -r Sources Tests Package.swift

imports:
	python3 scripts/check_imports.py

budget:
	python3 scripts/check_budget.py

check: lint imports budget test

bench:
	swift build -c release --product imgen
	.build/release/imgen bench

samples:
	scripts/samples.sh

clean:
	swift package clean
