#!/usr/bin/env python3
"""Time the decoding of 64x64 latents to 512x512 pixels in imgen and in torch, in alternation.

    pip install torch diffusers
    swift build -c release --product imgen
    scripts/peers/vae_decode.py
    scripts/peers/vae_decode.py --precision f32

The decoder of Stable Diffusion 1.5 with random weights, one picture. torch runs channels_last with
weights of the given precision. Run it on an idle machine.
"""
from common import AUTOENCODER, Imgen, Peer, arguments, compete, random_model


def torch_step(precision, batch):
    """A decoding by diffusers' model in torch."""
    import torch
    from diffusers import AutoencoderKL

    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    vae = random_model(AutoencoderKL, AUTOENCODER, dtype).eval()
    latents = torch.randn(batch, 4, 64, 64, dtype=dtype).to(memory_format=torch.channels_last)

    def step():
        with torch.inference_mode():
            vae.decode(latents)

    return step


def main():
    parser = arguments(__doc__)
    parser.add_argument("--precision", choices=["bf16", "f32"], default="bf16")
    parser.add_argument("--batch", type=int, default=1)
    options = parser.parse_args()
    compete(
        [
            Imgen("vae", "--precision", options.precision, "--batch", str(options.batch),
                  threads=options.threads),
            Peer(f"torch {options.precision}", torch_step, options.precision, options.batch,
                 threads=options.threads),
        ],
        options.rounds, options.steps, per_step=options.batch)


if __name__ == "__main__":
    main()
