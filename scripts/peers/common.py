"""What the side-by-side runs share: processes that take turns, configs, medians and ratios.

Every competitor runs in a process of its own, so that its memory can be told apart; while one
computes, the others sleep. torch gets what it is fastest with: two threads (or --threads), tcmalloc
when libtcmalloc_minimal.so.4 is installed, and a memory format chosen by each script.
"""
import argparse
import ctypes.util
import json
import math
import multiprocessing
import os
import pathlib
import statistics
import subprocess
import time

PROGRAM = pathlib.Path(__file__).resolve().parents[2] / ".build/release/imgen"
SEED = 1

# Input's channels, height and width, and tokens per text, are beside what diffusers is given.
UNETS = {
    "sd15": dict(
        in_channels=4, out_channels=4, sample_size=64, cross_attention_dim=768,
        block_out_channels=(320, 640, 1280, 1280), layers_per_block=2, attention_head_dim=8),
    "unet25m": dict(
        in_channels=48, out_channels=48, sample_size=16, cross_attention_dim=384,
        block_out_channels=(128, 256), layers_per_block=2, attention_head_dim=8,
        down_block_types=("CrossAttnDownBlock2D",) * 2,
        up_block_types=("CrossAttnUpBlock2D",) * 2),
}
TOKENS = {"sd15": 77, "unet25m": 20}
AUTOENCODER = dict(
    block_out_channels=(128, 256, 512, 512), layers_per_block=2, latent_channels=4,
    down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4)


def arguments(description, **defaults):
    """A parser with the options of all scripts."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="turns of every competitor")
    parser.add_argument("--steps", type=int, default=2, help="timed runs in each turn")
    parser.add_argument("--threads", type=int, default=2)
    parser.set_defaults(**defaults)
    return parser


def imgen(work, *options, steps, threads):
    """The report of `imgen bench`."""
    command = [PROGRAM, "bench", work, "--json", "--steps", str(steps), "--threads", str(threads)]
    environment = {k: v for k, v in os.environ.items() if k != "LD_PRELOAD"}
    return json.loads(subprocess.check_output([*command, *options], env=environment))


class Imgen:
    """imgen as a competitor: a fresh process in each turn."""

    def __init__(self, work, *options, threads):
        self.name = f"imgen {options[options.index('--precision') + 1]}"
        self.work, self.options, self.threads, self.peak = work, options, threads, 0

    def turn(self, steps):
        """Median seconds of `steps` steps."""
        report = imgen(self.work, *self.options, steps=steps, threads=self.threads)["networks"][0]
        self.peak = max(self.peak, report["peak_process_bytes"])
        return report["median_seconds_per_step"]

    def close(self):
        pass


class Process:
    """A Python process that answers questions until it is closed.

    `make(*values)` runs there once and returns the function that gives the answers.
    """

    def __init__(self, make, *values, threads, allocator="tcmalloc_minimal"):
        context = multiprocessing.get_context("spawn")
        self.pipe, end = context.Pipe()
        library = ctypes.util.find_library(allocator) if allocator else None
        os.environ["LD_PRELOAD"] = library or ""
        os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = str(threads)
        os.environ |= {"PYTHONWARNINGS": "ignore", "DIFFUSERS_VERBOSITY": "error"}
        self.process = context.Process(
            target=serve, args=(end, make, values, threads), daemon=True)
        self.process.start()
        end.close()
        self.pipe.recv()

    def ask(self, question):
        self.pipe.send(question)
        return self.pipe.recv()

    def close(self):
        self.pipe.send(None)
        self.process.join()


class Peer(Process):
    """Another program as a competitor; `make(*values)` returns a function that makes one step."""

    def __init__(self, name, make, *values, **options):
        self.name, self.peak = name, 0
        super().__init__(timed_steps, make, values, **options)

    def turn(self, steps):
        """Median seconds of `steps` steps after one that warms up."""
        median, self.peak = self.ask(steps)
        return median


def serve(pipe, make, values, threads):
    """The other end of a Process."""
    import torch

    torch.set_num_threads(threads)
    torch.manual_seed(SEED)
    answer = make(*values)
    pipe.send("ready")
    while (question := pipe.recv()) is not None:
        pipe.send(answer(question))


def timed_steps(make, values):
    """Answers a number of steps with their median seconds and the most memory used so far."""
    step = make(*values)
    reset_peak()

    def turn(steps):
        step()
        return statistics.median(seconds(step) for _ in range(steps)), peak_bytes()

    return turn


def seconds(step):
    """Seconds of one call."""
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def reset_peak():
    """Starts a new measurement of `peak_bytes`."""
    pathlib.Path("/proc/self/clear_refs").write_text("5")


def peak_bytes():
    """The most memory this process has had since the last reset."""
    status = pathlib.Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return 1024 * int(line.split()[1])


def random_model(kind, config, dtype):
    """A diffusers model with random weights that keep its output finite."""
    import torch

    with torch.device("meta"):
        model = kind(**config)
    model = model.to(dtype).to_empty(device="cpu")
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim > 1:
                bound = 1 / math.sqrt(parameter[0].numel())
                parameter.uniform_(-bound, bound)
            else:
                parameter.fill_(1.0 if name.endswith("weight") else 0.0)
    return model.to(memory_format=torch.channels_last)


def unet_inputs(config, batch, dtype):
    """Random sample, timesteps and texts for a U-Net of `UNETS`."""
    import torch

    unet = UNETS[config]
    side = unet["sample_size"]
    sample = torch.randn(batch, unet["in_channels"], side, side, dtype=dtype)
    states = torch.randn(batch, TOKENS[config], unet["cross_attention_dim"], dtype=dtype)
    return sample.to(memory_format=torch.channels_last), torch.full((batch,), 500.0), states


def compete(competitors, rounds, steps, per_step=None, unit="pictures/s"):
    """Runs all in turns, the first being imgen; prints medians and ratios, then closes them."""
    times = {competitor.name: [] for competitor in competitors}
    for _ in range(rounds):
        for competitor in competitors:
            times[competitor.name].append(competitor.turn(steps))
    medians = {name: statistics.median(values) for name, values in times.items()}
    ours = medians[competitors[0].name]
    print(f"{'':22}{'median s':>9}{'fastest':>9}{'slowest':>9}{'peak GB':>9}  {'ratio to imgen':>14}"
          + (f"  {unit:>10}" if per_step else ""))
    for competitor in competitors:
        name, values = competitor.name, times[competitor.name]
        rate = f"  {per_step / medians[name]:10.2f}" if per_step else ""
        print(f"{name:22}{medians[name]:9.3f}{min(values):9.3f}{max(values):9.3f}"
              f"{competitor.peak / 1e9:9.2f}  {medians[name] / ours:14.2f}{rate}")
        competitor.close()
    if len(medians) > 1:
        best = min(seconds for name, seconds in list(medians.items())[1:])
        print(f"the best of the others takes {best / ours:.2f} times as long as imgen")
