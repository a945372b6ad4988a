#!/bin/sh
# Run the picture tests, with their corpus of damaged files, under AddressSanitizer.
# Reading or writing outside of a buffer, use after free and leaks all end it with an error.
set -eu
cd "$(dirname "$0")/.."
exec swift test --sanitize=address --scratch-path .build-asan --disable-xctest \
  --filter ImageIOTests "$@"
