#!/bin/sh
# Compiles the kernels for 64-bit ARM and compares them with loops in double precision under
# emulation. Needs clang (the Swift toolchain's will do) and the Debian packages
# gcc-aarch64-linux-gnu and qemu-user.
set -eu
cd "$(dirname "$0")/.."
for program in clang aarch64-linux-gnu-gcc qemu-aarch64; do
  command -v "$program" >/dev/null || {
    echo "aarch64.sh: $program is missing; apt-get install gcc-aarch64-linux-gnu qemu-user" >&2
    exit 1
  }
done
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
for source in Sources/CKernels/*.c scripts/aarch64/check.c; do
  clang --target=aarch64-linux-gnu --sysroot=/usr/aarch64-linux-gnu -I/usr/aarch64-linux-gnu/include \
    -O2 -Wall -Wextra -Werror -ISources/CKernels/include -c "$source" \
    -o "$build/$(basename "$source" .c).o"
done
aarch64-linux-gnu-gcc -static "$build"/*.o -lm -o "$build/check"
qemu-aarch64 "$build/check"
