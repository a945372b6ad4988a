#!/usr/bin/env python3
"""Time a LoRA training step in imgen and in torch with peft, in alternation.

    pip install torch diffusers peft
    swift build -c release --product imgen
    scripts/peers/lora_step.py

Stable Diffusion 1.5 with random weights, 64x64 latents, batch 1, rank 16 on the queries, keys,
values and outputs of every attention, AdamW. torch runs channels_last with everything in bfloat16,
without gradient checkpointing, as imgen does. Run it on an idle machine with 20 GB free.
"""
from common import TOKENS, UNETS, Imgen, Peer, arguments, compete, random_model, unet_inputs


def torch_step(config, batch):
    """A training step of diffusers' model with peft's adapters."""
    import torch
    from diffusers import UNet2DConditionModel
    from peft import LoraConfig

    unet = random_model(UNet2DConditionModel, UNETS[config], torch.bfloat16).train()
    unet.requires_grad_(False)
    unet.add_adapter(LoraConfig(
        r=16, lora_alpha=16, target_modules=["to_q", "to_k", "to_v", "to_out.0"]))
    unet.to(torch.bfloat16)
    parameters = [p for p in unet.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=1e-4, fused=True)
    clean, timesteps, states = unet_inputs(config, batch, torch.bfloat16)

    def step():
        noise = torch.randn_like(clean)
        output = unet(0.7 * clean + 0.7 * noise, timesteps, states).sample
        (output.float() - noise.float()).square().mean().backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0, foreach=True)
        optimizer.step()
        optimizer.zero_grad()

    return step


def main():
    parser = arguments(__doc__)
    parser.add_argument("--config", choices=list(TOKENS), default="sd15")
    parser.add_argument("--batch", type=int, default=1)
    options = parser.parse_args()
    compete(
        [
            Imgen("lora", "--config", options.config, "--precision", "bf16", "--batch",
                  str(options.batch), threads=options.threads),
            Peer("torch + peft bf16", torch_step, options.config, options.batch,
                 threads=options.threads),
        ],
        options.rounds, options.steps, per_step=options.batch)


if __name__ == "__main__":
    main()
