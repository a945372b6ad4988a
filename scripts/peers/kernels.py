#!/usr/bin/env python3
"""Time the kernels of `imgen bench kernels` in torch and in OpenBLAS, in alternation with imgen.

    pip install torch numpy
    swift build -c release --product imgen
    scripts/peers/kernels.py                    # bf16
    scripts/peers/kernels.py --precision f32    # also numpy's OpenBLAS, for plain products

Shapes are those that imgen reports. torch's tensors have the given precision; its best of
channels_last, contiguous and, for products and 1x1 convolutions, F.linear counts. Prints GFLOP/s of
the direct method, the ratio of medians for each shape, their geometric mean and the lowest. Run it
on an idle machine.
"""
import re
import statistics

from common import Process, arguments, imgen, seconds

LINEAR = re.compile(r"linear (\d+)x(\d+)x(\d+)")
CONVOLUTION = re.compile(r"conv(\d)x\d (\d+)(?:-(\d+))?@(\d+)x\d+ b(\d+)")
ENOUGH_SECONDS = 0.4


def forward(run):
    """`run()` without gradients."""
    import torch

    def step():
        with torch.inference_mode():
            run()

    return step


def training(run, inputs):
    """`run()` and the gradients by `inputs`."""
    import torch

    for x in inputs:
        x.requires_grad_()
    dy = torch.randn_like(run())
    return lambda: torch.autograd.grad(run(), inputs, dy)


def candidates(name, is_training, dtype):
    """What torch can compute the kernel with: setting → a function that does it once."""
    import torch
    import torch.nn.functional as F

    def step(run, *inputs):
        return training(run, inputs) if is_training else forward(run)

    if match := LINEAR.fullmatch(name):
        rows, inputs, outputs = map(int, match.groups())
        x = torch.randn(rows, inputs, dtype=dtype)
        w, b = torch.randn(outputs, inputs, dtype=dtype), torch.randn(outputs, dtype=dtype)
        picture = torch.randn(1, inputs, rows, 1, dtype=dtype).to(memory_format=torch.channels_last)
        kernel = torch.randn(outputs, inputs, 1, 1, dtype=dtype)
        kernel = kernel.to(memory_format=torch.channels_last)
        return {"F.linear": step(lambda: F.linear(x, w, b), x, w),
                "as conv1x1": step(lambda: F.conv2d(picture, kernel, b), picture, kernel)}
    kernel, inputs, outputs, side, batch = (
        int(value) if value else None for value in CONVOLUTION.fullmatch(name).groups())
    outputs = outputs or inputs
    found = {}
    for setting, layout in (
        ("channels_last", torch.channels_last), ("contiguous", torch.contiguous_format)):
        x = torch.randn(batch, inputs, side, side, dtype=dtype).to(memory_format=layout)
        w = torch.randn(outputs, inputs, kernel, kernel, dtype=dtype).to(memory_format=layout)
        b = torch.randn(outputs, dtype=dtype)
        found[setting] = step(lambda x=x, w=w, b=b: F.conv2d(x, w, b, padding=kernel // 2), x, w)
    if kernel == 1:
        x = torch.randn(batch * side * side, inputs, dtype=dtype)
        w, b = torch.randn(outputs, inputs, dtype=dtype), torch.randn(outputs, dtype=dtype)
        found["F.linear"] = step(lambda: F.linear(x, w, b), x, w)
    return found


def openblas(name):
    """numpy's product of the shape of a linear layer."""
    import numpy

    rows, inputs, outputs = map(int, LINEAR.fullmatch(name).groups())
    generator = numpy.random.default_rng(1)
    x = generator.standard_normal((rows, inputs), numpy.float32)
    w = generator.standard_normal((outputs, inputs), numpy.float32)
    y = numpy.empty((rows, outputs), numpy.float32)
    return lambda: numpy.matmul(x, w.T, out=y)


def median_seconds(step):
    """Median of as many runs as fit, at least five, after one that warms up."""
    step()
    times = []
    while len(times) < 5 or sum(times) < ENOUGH_SECONDS:
        times.append(seconds(step))
    return statistics.median(times)


def timer(precision):
    """Answers a kernel's name and pass with seconds by setting."""
    import torch

    dtype = torch.bfloat16 if precision == "bf16" else torch.float32

    def answer(kernel):
        name, kind = kernel
        steps = candidates(name, kind != "forward", dtype)
        if precision == "f32" and kind == "forward" and LINEAR.fullmatch(name):
            steps["OpenBLAS"] = openblas(name)
        return {setting: median_seconds(step) for setting, step in steps.items()}

    return answer


def main():
    parser = arguments(__doc__, steps=20)
    parser.add_argument("--precision", choices=["bf16", "f32"], default="bf16")
    options = parser.parse_args()
    others = Process(timer, options.precision, threads=options.threads)
    ours, theirs, rates = {}, {}, {}
    for _ in range(options.rounds):
        report = imgen(
            "kernels", "--precision", options.precision, steps=options.steps,
            threads=options.threads)
        for kernel in report["kernels"]:
            key = (kernel["name"], kernel["pass"])
            ours.setdefault(key, []).append(kernel["median_seconds"])
            rates[key] = kernel["gigaflops_per_second"] * kernel["median_seconds"]
        for key in ours:
            for setting, taken in others.ask(key).items():
                theirs.setdefault(key, {}).setdefault(setting, []).append(taken)
    others.close()
    limit = report["processor"][0]
    print(f"limit {limit[options.precision + '_gigaflops_per_second']:.0f} GFLOP/s, "
          f"{options.threads} threads, {options.precision}")
    print(f"{'shape':27} {'pass':16} {'imgen':>8} {'best other':>10}  {'with':13} {'ratio':>6}")
    ratios = {}
    for key, values in ours.items():
        own = statistics.median(values)
        medians = {setting: statistics.median(times) for setting, times in theirs[key].items()}
        setting = min(medians, key=medians.get)
        ratios[key] = medians[setting] / own
        print(f"{key[0]:27} {key[1]:16} {rates[key] / own:8.0f} "
              f"{rates[key] / medians[setting]:10.0f}  {setting:13} {ratios[key]:6.2f}")
    forwards = [ratio for (_, kind), ratio in ratios.items() if kind == "forward"]
    print(f"forward: geometric mean {statistics.geometric_mean(forwards):.2f}, "
          f"lowest {min(forwards):.2f}")


if __name__ == "__main__":
    main()
