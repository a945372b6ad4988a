#!/usr/bin/env python3
"""Fail when a source file is longer than the style allows, which usually means two ideas in one."""
import pathlib
import sys

LIMIT = 400


def main():
    errors = []
    for folder in ("Sources", "Tests", "notebooks-as-scripts"):
        for file in sorted(pathlib.Path(folder).rglob("*")):
            if file.suffix in (".swift", ".c", ".h") and "Fixtures" not in file.parts:
                lines = file.read_text().count("\n")
                if lines > LIMIT:
                    errors.append(f"{file}: {lines} lines, the limit is {LIMIT}")
    print("\n".join(errors) or f"budget ok: no file over {LIMIT} lines")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
