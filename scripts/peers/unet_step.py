#!/usr/bin/env python3
"""Time one denoising step in imgen, in torch and in OpenVINO, in alternation.

    pip install torch diffusers openvino
    swift build -c release --product imgen
    scripts/peers/unet_step.py                    # bf16: weights, activations or hint
    scripts/peers/unet_step.py --precision f32

Stable Diffusion 1.5 with random weights on 2 x 4 x 64 x 64 latents and 77 tokens (`--config
unet25m`: the small U-Net). torch runs channels_last with weights of the given precision; OpenVINO a
static graph of the f32 model with the precision as its hint, and is left out when it is not
installed. Run it on an idle machine with 20 GB free.
"""
import importlib.util

from common import TOKENS, UNETS, Imgen, Peer, arguments, compete, random_model, unet_inputs


def torch_step(config, precision, batch):
    """A step of diffusers' model in torch."""
    import torch
    from diffusers import UNet2DConditionModel

    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    unet = random_model(UNet2DConditionModel, UNETS[config], dtype).eval()
    sample, timesteps, states = unet_inputs(config, batch, dtype)

    def step():
        with torch.inference_mode():
            unet(sample, timesteps, states)

    return step


def openvino_step(config, precision, batch, threads):
    """A step of the same model, traced and compiled by OpenVINO."""
    import openvino
    import torch
    from diffusers import UNet2DConditionModel

    class Traced(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.unet = random_model(UNet2DConditionModel, UNETS[config], torch.float32).eval()

        def forward(self, sample, timesteps, states):
            return self.unet(sample, timesteps, states, return_dict=False)[0]

    inputs = [x.contiguous() for x in unet_inputs(config, batch, torch.float32)]
    shapes = [tuple(x.shape) for x in inputs]
    with torch.no_grad():
        model = openvino.convert_model(Traced(), example_input=tuple(inputs), input=shapes)
    compiled = openvino.compile_model(model, "CPU", {
        "INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": threads,
        "PERFORMANCE_HINT": "LATENCY"})
    request = compiled.create_infer_request()
    arrays = [x.numpy() for x in inputs]
    return lambda: request.infer(arrays)


def main():
    parser = arguments(__doc__)
    parser.add_argument("--config", choices=list(TOKENS), default="sd15")
    parser.add_argument("--precision", choices=["bf16", "f32"], default="bf16")
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--without-openvino", action="store_true")
    options = parser.parse_args()
    work = (options.config, options.precision, options.batch)
    competitors = [
        Imgen("unet", "--config", options.config, "--precision", options.precision, "--batch",
              str(options.batch), threads=options.threads),
        Peer(f"torch {options.precision}", torch_step, *work, threads=options.threads),
    ]
    if importlib.util.find_spec("openvino") and not options.without_openvino:
        competitors.append(
            # OpenVINO's own allocations do not go together with tcmalloc.
            Peer(f"OpenVINO {options.precision}", openvino_step, *work, options.threads,
                 threads=options.threads, allocator=None))
    compete(competitors, options.rounds, options.steps)


if __name__ == "__main__":
    main()
