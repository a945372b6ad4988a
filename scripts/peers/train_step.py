#!/usr/bin/env python3
"""Time a training step of a small U-Net in imgen and in torch, in alternation.

    pip install torch diffusers
    swift build -c release --product imgen
    scripts/peers/train_step.py                                # unet25m, random weights
    scripts/peers/train_step.py --config checkpoints/imgen-small

The same architecture, batch, random data and optimizer (AdamW with a moving average of the
weights). torch runs channels_last with two settings, float32 and bfloat16 autocast; the better one
counts. Run it on an idle machine.
"""
import json
import pathlib

from common import TOKENS, UNETS, Imgen, Peer, arguments, compete


def settings(config):
    """What diffusers builds the U-Net from, and the tokens per text."""
    if config in UNETS:
        return UNETS[config], TOKENS[config]
    folder = pathlib.Path(config)
    tokenizer = json.loads((folder / "tokenizer/tokenizer_config.json").read_text())
    unet = json.loads((folder / "unet/config.json").read_text())
    unet = {key: value for key, value in unet.items() if not key.startswith("_")}
    return unet, tokenizer["model_max_length"]


def torch_step(config, batch, autocast):
    """A training step over one batch of random data."""
    import torch
    from diffusers import UNet2DConditionModel

    unet_config, tokens = settings(config)
    unet = UNet2DConditionModel(**unet_config).to(memory_format=torch.channels_last)
    average = [p.detach().clone() for p in unet.parameters()]
    optimizer = torch.optim.AdamW(unet.parameters(), lr=1e-4, fused=True)
    size, channels = unet_config["sample_size"], unet_config["in_channels"]
    clean = torch.randn(batch, channels, size, size).to(memory_format=torch.channels_last)
    states = torch.randn(batch, tokens, unet_config["cross_attention_dim"])

    def step():
        level = torch.rand(batch, 1, 1, 1)
        noisy = (1 - level) * clean + level * torch.randn_like(clean)
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            output = unet(noisy, 999 * level.flatten(), states).sample
        (output.float() - clean).square().mean().backward()
        torch.nn.utils.clip_grad_norm_(unet.parameters(), 1.0, foreach=True)
        optimizer.step()
        optimizer.zero_grad()
        torch._foreach_lerp_(average, list(unet.parameters()), 0.001)

    return step


def main():
    parser = arguments(__doc__, steps=5)
    parser.add_argument("--config", default="unet25m", help="unet25m or a model folder")
    parser.add_argument("--batch", type=int, default=32)
    options = parser.parse_args()
    work = (options.config, options.batch)
    competitors = [
        Imgen("train", "--config", options.config, "--precision", "bf16", "--batch",
              str(options.batch), threads=options.threads)]
    for name, autocast in (("torch f32", False), ("torch bf16 autocast", True)):
        competitors.append(Peer(name, torch_step, *work, autocast, threads=options.threads))
    compete(competitors, options.rounds, options.steps, per_step=options.batch)


if __name__ == "__main__":
    main()
