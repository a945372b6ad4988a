#!/usr/bin/env python3
"""Compare loss curves of training in bf16 and in f32.

    swift build -c release --product imgen
    scripts/data/build_captioned.py DATA
    scripts/peers/loss_curves.py DATA

Trains the bundled model's U-Net from random weights three times on the same pictures: in f32, in bf16
with the same seed, and in f32 with another seed. Prints mean losses of windows of steps, and how far
apart the curves are: bf16 should be much nearer to f32 than one seed is to another.
"""
import argparse
import csv
import math
import pathlib
import statistics
import subprocess

PROGRAM = pathlib.Path(__file__).resolve().parents[2] / ".build/release/imgen"
WINDOW = 50


def losses(arguments, precision, seed):
    """Loss of every step of a fresh run."""
    out = arguments.out / f"{precision}-{seed}"
    command = [PROGRAM, "train", arguments.data, "--out", out, "--from-scratch"]
    command += ["--model", arguments.model, "--steps", str(arguments.steps), "--warmup", "50"]
    command += ["--batch", str(arguments.batch), "--seed", str(seed), "--precision", precision]
    subprocess.run([*command, "--sheet-every", "0", "--quiet"], check=True)
    with open(out / "loss.csv", newline="") as file:
        return [float(row["loss"]) for row in csv.DictReader(file)]


def windows(curve):
    """Means of consecutive windows of steps."""
    return [statistics.fmean(curve[i:i + WINDOW]) for i in range(0, len(curve), WINDOW)]


def distance(a, b):
    """Root mean square of the relative differences of two curves' windows."""
    return math.sqrt(statistics.fmean(((x - y) / y) ** 2 for x, y in zip(a, b)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--model", default="imgen-small")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("runs/loss-curves"))
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--batch", type=int, default=16)
    arguments = parser.parse_args()
    exact = windows(losses(arguments, "f32", 1))
    rounded = windows(losses(arguments, "bf16", 1))
    other = windows(losses(arguments, "f32", 2))
    print(f"{'steps':>11} {'f32':>8} {'bf16':>8} {'f32, seed 2':>12}")
    for index, row in enumerate(zip(exact, rounded, other)):
        first = index * WINDOW + 1
        print(f"{first:5}-{first + WINDOW - 1:5} {row[0]:8.4f} {row[1]:8.4f} {row[2]:12.4f}")
    print(f"bf16 differs from f32 by {distance(rounded, exact):.2%}, "
          f"another seed by {distance(other, exact):.2%}")


if __name__ == "__main__":
    main()
