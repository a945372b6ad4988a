#!/usr/bin/env bash
# Installs what is missing, builds imgen and draws a picture with the bundled model.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/packages.sh
swift build -c release --product imgen
.build/release/imgen sample "${1:-a red apple}" --seed "${2:-1}" --out "${3:-apple.png}"
