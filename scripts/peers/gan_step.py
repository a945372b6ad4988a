#!/usr/bin/env python3
"""Time a training step of a GAN with both penalties in imgen and in torch, in alternation.

    pip install torch
    swift build -c release --product imgen
    scripts/peers/gan_step.py

The networks that `imgen gan train` begins with on 28x28 pictures of ten classes, the relativistic
loss with R1 and R2 in every step, batch 32, AdamW and a moving average of the generator. torch runs
in three settings: float32 and bfloat16 autocast in channels_last, and float32 as it comes; the best
one counts. Run it on an idle machine.
"""
from common import Imgen, Peer, arguments, compete

CONFIG = dict(sample_size=28, patch_size=2, channels=1, classes=10, latent_size=64,
              base_channels=64, max_channels=256, layers_per_block=1)


def torch_step(batch, autocast, channels_last):
    """A step of the discriminator and one of the generator over random pictures."""
    import torch

    import gan_networks as gan

    layout = torch.channels_last if channels_last else torch.contiguous_format
    generator = gan.Generator(CONFIG).to(memory_format=layout)
    discriminator = gan.Discriminator(CONFIG).to(memory_format=layout)
    average = [p.detach().clone() for p in generator.parameters()]
    settings = dict(lr=1e-3, betas=(0.0, 0.99), weight_decay=0.0, fused=True)
    optimizers = [torch.optim.AdamW(n.parameters(), **settings) for n in (generator, discriminator)]
    real = (torch.rand(batch, 1, 28, 28) * 2 - 1).to(memory_format=layout)
    labels = torch.arange(batch) % CONFIG["classes"]

    def draw():
        return generator(torch.randn(batch, CONFIG["latent_size"]), labels)

    def step():
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            fake = draw().float()
            _, total = gan.discriminator_loss(
                "relativistic", "r1+r2", 1.0, 1.0, discriminator, real, fake.detach(), labels)
        total.backward()
        optimizers[1].step()
        optimizers[1].zero_grad()
        discriminator.requires_grad_(False)
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            loss = gan.generator_loss("relativistic", 0.1, discriminator, real, fake, labels)
        loss.backward()
        discriminator.requires_grad_(True)
        optimizers[0].step()
        optimizers[0].zero_grad()
        torch._foreach_lerp_(average, list(generator.parameters()), 0.001)

    return step


def main():
    parser = arguments(__doc__, steps=10)
    parser.add_argument("--batch", type=int, default=32)
    options = parser.parse_args()
    competitors = [
        Imgen("gan", "--batch", str(options.batch), "--precision", precision,
              threads=options.threads) for precision in ("bf16", "f32")]
    for name, autocast, channels_last in (
            ("torch f32", False, False), ("torch f32 channels_last", False, True),
            ("torch bf16 autocast", True, True)):
        competitors.append(
            Peer(name, torch_step, options.batch, autocast, channels_last,
                 threads=options.threads))
    compete(competitors, options.rounds, options.steps, per_step=options.batch)


if __name__ == "__main__":
    main()
