#!/usr/bin/env python3
"""Time a whole picture, from words to PNG file, in imgen and in diffusers, in alternation.

    pip install torch diffusers transformers pillow
    swift build -c release --product imgen
    scripts/peers/random_sd15.py MODELS
    scripts/peers/picture.py MODELS/folder                     # bf16
    scripts/peers/picture.py MODELS/folder --precision f32

Every run is a fresh process that loads the model, draws 512x512 with guidance (two evaluations per
step) and writes a file: once with one step, once with --steps; their difference is what a step
takes. diffusers runs with weights of the given precision, the U-Net and the autoencoder in
channels_last, two threads and tcmalloc. Also prints how far the pictures are apart, which is small
in f32 only: with the same seed both begin from the same noise. Run it on an idle machine with 12 GB
free.
"""
import ctypes.util
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from common import PROGRAM, arguments

PROMPT = "a red apple on a table"
SEED, GUIDANCE, SIDE = 1, 7.5, 512


def draw(folder, precision, steps, out):
    """diffusers' side, in a process of its own."""
    import diffusers
    import torch
    import transformers
    from diffusers import EulerDiscreteScheduler, StableDiffusionPipeline

    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    pipeline = StableDiffusionPipeline.from_pretrained(
        folder, dtype=torch.bfloat16 if precision == "bf16" else torch.float32,
        safety_checker=None, feature_extractor=None, requires_safety_checker=False)
    pipeline.scheduler = EulerDiscreteScheduler.from_config(pipeline.scheduler.config)
    pipeline.unet.to(memory_format=torch.channels_last)
    pipeline.vae.to(memory_format=torch.channels_last)
    pipeline.set_progress_bar_config(disable=True)
    pipeline(
        PROMPT, num_inference_steps=int(steps), guidance_scale=GUIDANCE, width=SIDE, height=SIDE,
        generator=torch.Generator().manual_seed(SEED)).images[0].save(out)


def commands(options, work):
    """The command line of each side for a number of steps, and the file it writes."""
    ours, theirs = work / "imgen.png", work / "diffusers.png"
    return {
        f"imgen {options.precision}": (ours, lambda steps: [
            PROGRAM, "sample", PROMPT, "--model", options.folder, "--like", "diffusers",
            "--sampler", "euler", "--steps", steps, "--guidance", str(GUIDANCE),
            "--size", f"{SIDE}x{SIDE}", "--seed", str(SEED), "--precision", options.precision,
            "--threads", str(options.threads), "--quiet", "--out", ours]),
        f"diffusers {options.precision}": (theirs, lambda steps: [
            sys.executable, __file__, "--draw", options.folder, options.precision, steps, theirs]),
    }


def timed(command, environment):
    """Seconds and peak bytes of a process."""
    start = time.perf_counter()
    process = subprocess.Popen([str(part) for part in command], env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command} failed")
    return time.perf_counter() - start, 1024 * usage.ru_maxrss


def difference(first, second):
    """Worst and mean difference of two pictures in grey levels."""
    import numpy as np
    from PIL import Image

    one, other = (np.asarray(Image.open(p).convert("RGB")).astype(int) for p in (first, second))
    apart = abs(one - other)
    return apart.max(), apart.mean()


def main():
    if sys.argv[1:2] == ["--draw"]:
        return draw(*sys.argv[2:])
    parser = arguments(__doc__, rounds=2, steps=20)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--precision", choices=["bf16", "f32"], default="bf16")
    options = parser.parse_args()
    environment = os.environ | {"OMP_NUM_THREADS": str(options.threads)}
    tcmalloc = environment | {"LD_PRELOAD": ctypes.util.find_library("tcmalloc_minimal") or ""}
    with tempfile.TemporaryDirectory() as folder:
        sides = commands(options, pathlib.Path(folder))
        found = {(name, steps): [] for name in sides for steps in (1, options.steps)}
        for _ in range(options.rounds):
            for name, (_, command) in sides.items():
                for steps in (1, options.steps):
                    run = timed(
                        command(str(steps)),
                        environment if name.startswith("imgen") else tcmalloc)
                    found[name, steps].append(run)
        report(found, options.steps)
        worst, mean = difference(*(path for path, _ in sides.values()))
        print(f"pictures of {options.steps} steps differ by {worst} grey levels at most, "
              f"{mean:.3f} on average")


def report(found, steps):
    """Prints medians and ratios to the first side."""
    print(f"{'':16}{'1 step s':>10}{f'{steps} steps s':>12}{'s per step':>12}{'peak GB':>9}"
          f"{'ratio whole':>13}{'ratio step':>12}")
    ours = None
    for name in dict.fromkeys(name for name, _ in found):
        one, whole = (
            statistics.median(seconds for seconds, _ in found[name, count])
            for count in (1, steps))
        peak = max(bytes for _, bytes in found[name, 1] + found[name, steps])
        step = (whole - one) / (steps - 1)
        ours = ours or (whole, step)
        print(f"{name:16}{one:10.2f}{whole:12.2f}{step:12.3f}{peak / 1e9:9.2f}"
              f"{whole / ours[0]:13.2f}{step / ours[1]:12.2f}")


if __name__ == "__main__":
    main()
