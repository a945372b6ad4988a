#!/usr/bin/env python3
"""Time attention in imgen and in torch, in alternation.

    pip install torch
    swift build -c release --product imgen
    scripts/peers/attention.py

torch computes `scaled_dot_product_attention` of bfloat16 tensors [N, heads, T, d] in two layouts:
contiguous, and a transposed view of [N, T, heads, d], which is what a network has after its
projections; the faster one counts. imgen reads and writes 32-bit tensors [N, T, heads * d] and
rounds them on the way. Every round runs imgen and then torch in fresh processes over all sizes.
Prints medians over the rounds of the medians of each, and the ratios. Run it on an idle machine.

imgen's side is `PROGRAM bench attention --json --steps N`, whose "attention" is a list of
{"n", "heads", "queries", "keys", "head_dim", "pass", "median_seconds"}.
"""
import argparse
import ctypes.util
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import time

PROGRAM = pathlib.Path(__file__).resolve().parents[2] / ".build/release/imgen"
LAYOUTS = ("contiguous", "view")
SIZE = ("n", "heads", "queries", "keys", "head_dim")


def key(entry):
    """What a measurement belongs to."""
    return (*(entry[name] for name in SIZE), entry["pass"])


def imgen_seconds(arguments):
    """Median seconds of every size and pass in one process."""
    command = [*arguments.program.split(), "bench", "attention", "--json"]
    report = subprocess.check_output([*command, "--steps", str(arguments.steps)])
    return {key(entry): entry["median_seconds"] for entry in json.loads(report)["attention"]}


def torch_seconds(arguments, sizes):
    """The same of torch, per layout, in a process that has tcmalloc."""
    library = ctypes.util.find_library("tcmalloc_minimal")
    environment = os.environ | {"LD_PRELOAD": library or "", "OMP_NUM_THREADS": str(arguments.threads)}
    command = [sys.executable, __file__, "--torch-side", "--steps", str(arguments.steps)]
    command += ["--threads", str(arguments.threads)]
    answer = subprocess.run(
        command, input=json.dumps(sizes), env=environment, text=True, check=True,
        stdout=subprocess.PIPE)
    return json.loads(answer.stdout)


def torch_side(arguments):
    """Reads sizes, times all of them, writes [size, layout, pass, seconds]."""
    import torch
    from torch.nn.functional import scaled_dot_product_attention as attention

    torch.set_num_threads(arguments.threads)

    def noise(layout, n, heads, tokens, d):
        if layout == "contiguous":
            return torch.randn(n, heads, tokens, d, dtype=torch.bfloat16)
        return torch.randn(n, tokens, heads, d, dtype=torch.bfloat16).transpose(1, 2)

    def median(run):
        run()
        seconds = []
        for _ in range(arguments.steps):
            start = time.perf_counter()
            run()
            seconds.append(time.perf_counter() - start)
        return statistics.median(seconds)

    result = []
    for size in json.load(sys.stdin):
        n, heads, queries, keys, d = size
        for layout in LAYOUTS:
            q, dy = (noise(layout, n, heads, queries, d) for _ in range(2))
            k, v = (noise(layout, n, heads, keys, d) for _ in range(2))
            with torch.no_grad():
                result.append((size, layout, "forward", median(lambda: attention(q, k, v))))
            inputs = [x.requires_grad_() for x in (q, k, v)]
            result.append((size, layout, "forward+backward", median(
                lambda: torch.autograd.grad(attention(*inputs), inputs, dy))))
    json.dump(result, sys.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default=str(PROGRAM))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=7, help="timed runs of a size in each round")
    parser.add_argument("--threads", type=int, default=2, help="threads of torch")
    parser.add_argument("--torch-side", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.torch_side:
        torch_side(arguments)
        return
    ours, theirs = {}, {}
    for _ in range(arguments.rounds):
        for name, seconds in imgen_seconds(arguments).items():
            ours.setdefault(name, []).append(seconds)
        sizes = list(dict.fromkeys(name[:-1] for name in ours))
        for size, layout, which, seconds in torch_seconds(arguments, sizes):
            theirs.setdefault((*size, which), {}).setdefault(layout, []).append(seconds)
    ratios = []
    print(f"{'size':22} {'pass':17} {'imgen ms':>9} {'torch ms':>9} {'layout':10} ratio")
    for name, seconds in ours.items():
        n, heads, queries, keys, d, which = name
        medians = {layout: statistics.median(s) for layout, s in theirs[name].items()}
        layout = min(medians, key=medians.get)
        mine = statistics.median(seconds)
        ratios.append(medians[layout] / mine)
        print(f"{f'{n}x{heads} {queries}x{keys} d{d}':22} {which:17} {mine * 1e3:9.3f} "
              f"{medians[layout] * 1e3:9.3f} {layout:10} {ratios[-1]:.2f}")
    mean = math.exp(statistics.fmean(map(math.log, ratios)))
    print(f"geometric mean {mean:.2f}, lowest {min(ratios):.2f}")


if __name__ == "__main__":
    main()
