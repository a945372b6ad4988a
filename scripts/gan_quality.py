#!/usr/bin/env python3
"""Measure how good a GAN gets with time: runs of several lengths and seeds, a table and a plot.

    pip install matplotlib
    swift build -c release --product imgen
    .build/release/imgen classify train fashion-mnist --out runs/judge
    scripts/gan_quality.py --judge runs/judge

Each run is `imgen gan train DATA --minutes M --seed S`; of each, 10,000 samples are named by the judge
and compared with the test pictures by its features. Run it on an idle machine: it takes the sum of all
minutes, and about a minute more for each run. What is done is kept in the folder --out, so that the same
command goes on after a stop.
"""
import argparse
import json
import pathlib
import shutil
import statistics
import subprocess
import time

PROGRAM = pathlib.Path(__file__).resolve().parents[1] / ".build/release/imgen"
COLUMNS = ["FD", "KD", "precision", "recall", "coverage", "agreement"]


def imgen(*options):
    """What a command of imgen prints with --json."""
    command = [str(PROGRAM), *map(str, options), "--quiet", "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def evaluated(data, fakes, judge, *options):
    """The figures of a set of pictures against the test pictures."""
    report = imgen("evaluate", data, fakes, "--features", judge, "--no-nearest", *options)["report"]
    kernel, manifold = report["kernel_distance"], report["manifold"]
    return {"network": report["network"], "FD": report["frechet_distance"], "KD": kernel["value"],
            "KD interval": [kernel["lower"], kernel["upper"]],
            **{key: manifold[key] for key in ("precision", "recall", "coverage")}}


def measured(options, minutes, seed):
    """The figures of one run, trained unless that was done before."""
    folder = options.out / f"{minutes:g}-minutes-seed-{seed}"
    result = options.out / f"{folder.name}.json"
    if result.exists():
        return json.loads(result.read_text())
    # A run that was stopped did not have its minutes in one piece: begin it anew.
    shutil.rmtree(folder, ignore_errors=True)
    start = time.monotonic()
    imgen("gan", "train", options.data, "--minutes", minutes, "--seed", seed, "--out", folder)
    seconds = time.monotonic() - start
    fakes = folder / "fakes"
    imgen("gan", "sample", folder, "--count", 10_000, "--seed", 7, "--no-grid", "--out", fakes)
    named = imgen("classify", "test", options.judge, fakes, "--split", "all", "--out",
                  folder / "confusion.png")
    steps = json.loads((folder / "run.json").read_text())["totalSteps"]
    figures = {"minutes": minutes, "seed": seed, "seconds": seconds, "steps": steps,
               **evaluated(options.data, fakes, options.judge), "agreement": named["accuracy"]}
    shutil.rmtree(fakes)
    result.write_text(json.dumps(figures, indent=1))
    return figures


def row(name, steps, values):
    """A line of the table."""
    interval = values.get("KD interval")
    kernel = f"{values['KD']:.1f}" + (f" ({interval[0]:.1f} to {interval[1]:.1f})" if interval else "")
    agreement = f"{values['agreement']:.1%}" if "agreement" in values else ""
    shares = " | ".join(f"{values[key]:.2f}" for key in ("precision", "recall", "coverage"))
    return f"| {name} | {steps} | {values['FD']:.1f} | {kernel} | {shares} | {agreement} |"


def table(runs, floor):
    """All figures as Markdown: each run, and means over seeds."""
    network = floor["network"]
    lines = [f"| minutes, seed | steps | FD-{network} | KD-{network} (95 %) | precision | recall "
             "| coverage | agreement |", "|" + "---|" * 8]
    for minutes in sorted({run["minutes"] for run in runs}):
        group = [run for run in runs if run["minutes"] == minutes]
        lines += [row(f"{minutes:g}, {run['seed']}", run["steps"], run) for run in group]
        means = {key: statistics.fmean(run[key] for run in group) for key in COLUMNS}
        lines.append(row(f"**{minutes:g}, mean**", "", means))
    lines.append(row("real training pictures", "", floor))
    return "\n".join(lines)


def plot(runs, floor, path):
    """Figures over minutes: a dot for each seed, a line through their means, real pictures dashed."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 4, figsize=(13, 3.2), layout="constrained")
    lengths = sorted({run["minutes"] for run in runs})
    for axis, keys in zip(axes, [["FD"], ["KD"], ["precision", "recall"], ["agreement"]]):
        for key, color in zip(keys, ["tab:blue", "tab:orange"]):
            means = [statistics.fmean(run[key] for run in runs if run["minutes"] == minutes)
                     for minutes in lengths]
            axis.plot(lengths, means, color=color, label=key)
            axis.scatter([run["minutes"] for run in runs], [run[key] for run in runs], s=14,
                         color=color)
            if key in floor:
                axis.axhline(max(0, floor[key]), color=color, linestyle="--", linewidth=1)
        if len(keys) > 1:
            axis.legend(loc="lower right")
        name = f"{keys[0]}-{floor['network']}" if keys[0] in ("FD", "KD") else " and ".join(keys)
        axis.set(title=name, xlabel="minutes", xscale="log")
        axis.set_xticks(lengths, [f"{minutes:g}" for minutes in lengths])
        axis.minorticks_off()
        axis.set_ylim(0, None if keys[0] in ("FD", "KD") else 1)
    figure.savefig(path, dpi=110)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="?", default="fashion-mnist")
    parser.add_argument("--judge", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("runs/gan-quality"))
    parser.add_argument("--minutes", type=float, nargs="+", default=[2, 5, 10, 30])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--plot", type=pathlib.Path, default=pathlib.Path("gan-quality.png"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    floor = evaluated(options.data, options.data, options.judge, "--fake-split", "train")
    runs = []
    for minutes in options.minutes:
        for seed in options.seeds:
            runs.append(measured(options, minutes, seed))
            print(json.dumps(runs[-1]), flush=True)
    print(table(runs, floor))
    plot(runs, floor, options.plot)


if __name__ == "__main__":
    main()
