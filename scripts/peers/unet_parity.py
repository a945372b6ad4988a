#!/usr/bin/env python3
"""Compare one forward pass of a model folder's U-Net in diffusers and in imgen.

    pip install torch diffusers safetensors
    swift build -c release --product imgen
    scripts/peers/unet_parity.py checkpoints/imgen-small

diffusers loads the folder as it is. Prints the largest difference relative to the largest output
and fails when it is above 1e-3.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import load_file, save_file

PROGRAM = pathlib.Path(__file__).resolve().parents[2] / ".build/release/imgen"
TOLERANCE = 1e-3


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--precision", default="f32")
    arguments = parser.parse_args()
    unet = UNet2DConditionModel.from_pretrained(arguments.model / "unet", torch_dtype=torch.float32)
    unet.eval()
    size, channels = unet.config.sample_size, unet.config.in_channels
    generator = torch.Generator().manual_seed(0)
    sample = torch.randn(2, channels, size, size, generator=generator)
    timestep = torch.tensor([17.0, 801.0])
    states = torch.randn(2, 20, unet.config.cross_attention_dim, generator=generator)
    mask = torch.ones(2, 20)
    mask[1, 7:] = 0
    with torch.no_grad():
        expected = unet(
            sample, timestep, encoder_hidden_states=states, encoder_attention_mask=mask.bool()
        ).sample.permute(0, 2, 3, 1)
    with tempfile.TemporaryDirectory() as folder:
        inputs, outputs = f"{folder}/in.safetensors", f"{folder}/out.safetensors"
        save_file(
            {
                "sample": sample.permute(0, 2, 3, 1).contiguous(),
                "timestep": timestep,
                "encoder_hidden_states": states,
                "encoder_attention_mask": mask,
            },
            inputs,
        )
        command = [PROGRAM, "denoise", inputs, outputs, "--model", arguments.model]
        subprocess.run([*command, "--precision", arguments.precision], check=True)
        found = load_file(outputs)["y"]
    difference = ((found - expected).abs().max() / expected.abs().max()).item()
    print(f"{arguments.model}: U-Net differs by {difference:.2e} of the largest output")
    return 0 if difference <= TOLERANCE else 1


if __name__ == "__main__":
    sys.exit(main())
