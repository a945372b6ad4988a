#!/usr/bin/env bash
# Makes the pictures of samples/ again, with the bundled model; see samples/README.md.
set -euo pipefail
cd "$(dirname "$0")/.."
imgen=.build/release/imgen
mkdir -p samples/prompts
prompts=("a red apple" "a banana" "a smiling face" "a green tree" "a blue car" "a house" "a pizza"
  "a cat")
for prompt in "${prompts[@]}"; do
  "$imgen" sample "$prompt" --seed 1 --count 8 --grid --quiet --out samples/prompts
done
mkdir -p samples/grids
for grid in samples/prompts/*-grid.png; do mv "$grid" samples/grids/; done
rm -r samples/prompts
