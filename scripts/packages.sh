#!/usr/bin/env bash
# Installs the Debian/Ubuntu packages that building and testing imgen needs, if any is missing.
set -euo pipefail

# The second line is what the Swift toolchain itself needs.
packages=(libjpeg-dev libopenblas-dev libpng-dev pkg-config python3
  binutils ca-certificates g++ git libc6-dev libcurl4 libedit2 libncurses6 libsqlite3-0 libxml2
  tzdata zlib1g-dev)

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
  [ "$status" = "install ok installed" ] || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "Installing: ${missing[*]}" >&2
  sudo=""
  if [ "$(id -u)" -ne 0 ]; then sudo=sudo; fi
  export DEBIAN_FRONTEND=noninteractive
  $sudo apt-get update -qq
  $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
fi
if ! command -v swift >/dev/null; then
  echo "There is no Swift here: install a Swift 6.2 (or newer) toolchain and put it on PATH." >&2
  exit 1
fi
