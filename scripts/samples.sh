#!/usr/bin/env bash
# Makes the pictures of samples/ again; see samples/README.md.
#   scripts/samples.sh [FOLDER-WITH-PHOTOS]
set -euo pipefail
cd "$(dirname "$0")/.."
imgen=.build/release/imgen
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$imgen" sample --prompts-from samples/prompts.txt --seed 1 --count 4 --grid --out "$work"
cp "$work"/prompts-1-grid.png samples/prompts.png
if [ $# -gt 0 ]; then
  "$imgen" train-style "$1" --out "$work/style.safetensors" \
    --prompts "a red apple" "a green tree" "a house" "a blue car" "a banana" "a dog"
  cp "$work/style.png" samples/style.png
fi
