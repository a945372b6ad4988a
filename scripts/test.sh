#!/usr/bin/env bash
# Installs what is missing, builds everything and runs the tests; arguments go to `swift test`.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/packages.sh
swift build -c release --build-tests
swift test -c release --skip-build "$@"
