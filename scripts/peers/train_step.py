#!/usr/bin/env python3
"""Time a training step of a model's U-Net in imgen and in torch, in alternation.

    pip install torch diffusers
    swift build -c release --product imgen
    LD_PRELOAD=libtcmalloc_minimal.so.4 scripts/peers/train_step.py checkpoints/imgen-small

The same architecture, batch, random data and optimizer (AdamW with a moving average of the weights).
torch runs channels_last with two settings, float32 and bfloat16 autocast; the better one counts.
Prints medians of the steps of all rounds and the ratio. Run it on an idle machine.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import time

import torch
from diffusers import UNet2DConditionModel

PROGRAM = pathlib.Path(__file__).resolve().parents[2] / ".build/release/imgen"
TOKENS = 20


class TorchTrainer:
    """A training loop over one batch of random data."""

    def __init__(self, folder, batch, autocast):
        config = UNet2DConditionModel.load_config(folder / "unet")
        self.unet = UNet2DConditionModel.from_config(config).to(memory_format=torch.channels_last)
        self.average = [p.detach().clone() for p in self.unet.parameters()]
        self.optimizer = torch.optim.AdamW(self.unet.parameters(), lr=1e-4, fused=True)
        self.autocast = autocast
        size, channels = config["sample_size"], config["in_channels"]
        self.clean = torch.randn(batch, channels, size, size).to(memory_format=torch.channels_last)
        self.states = torch.randn(batch, TOKENS, config["cross_attention_dim"])

    def step(self):
        """One step; returns its seconds."""
        start = time.perf_counter()
        level = torch.rand(self.clean.shape[0], 1, 1, 1)
        noisy = (1 - level) * self.clean + level * torch.randn_like(self.clean)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.autocast):
            output = self.unet(noisy, 999 * level.flatten(), self.states).sample
        loss = (output.float() - self.clean).square().mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.unet.parameters(), 1.0, foreach=True)
        self.optimizer.step()
        self.optimizer.zero_grad()
        torch._foreach_lerp_(self.average, list(self.unet.parameters()), 0.001)
        return time.perf_counter() - start


def imgen_seconds(arguments):
    """Median seconds of imgen's steps in one process."""
    command = [PROGRAM, "bench", "--model", arguments.model, "--json"]
    command += ["--steps", str(arguments.steps), "--batch", str(arguments.batch)]
    return json.loads(subprocess.check_output(command))["median_seconds_per_step"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    times = {"imgen bf16": [], "torch f32": [], "torch bf16 autocast": []}
    for _ in range(arguments.rounds):
        times["imgen bf16"].append(imgen_seconds(arguments))
        for name, autocast in (("torch f32", False), ("torch bf16 autocast", True)):
            trainer = TorchTrainer(arguments.model, arguments.batch, autocast)
            seconds = [trainer.step() for _ in range(arguments.steps + 1)]
            times[name].append(statistics.median(seconds[1:]))
    medians = {name: statistics.median(values) for name, values in times.items()}
    for name, seconds in medians.items():
        print(f"{name:20} {seconds:6.3f} s  {arguments.batch / seconds:5.1f} pictures/s")
    best = min(seconds for name, seconds in medians.items() if name.startswith("torch"))
    print(f"ratio to torch's best: {best / medians['imgen bf16']:.2f}")


if __name__ == "__main__":
    main()
