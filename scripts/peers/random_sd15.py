"""Makes a full-size Stable Diffusion 1.5 of random numbers, as a folder and as a single file.

    python scripts/peers/random_sd15.py OUT

writes OUT/folder/ (diffusers' layout) and OUT/single.safetensors (the original names), both in
half precision and with the same numbers. No weights of that model can be downloaded here; these
have its 1,130 tensors and 1,066,235,307 parameters, so that loading, memory and time are the same.
"""
import argparse
import csv
import json
import pathlib

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel

from common import AUTOENCODER, UNETS

ROOT = pathlib.Path(__file__).resolve().parents[2]
MERGES = ROOT / "Sources/Tokenizers/Resources/clip-merges.txt"
KEYS = ROOT / "Tests/CheckpointsTests/Fixtures/single_file_keys.tsv"
TEXT = dict(
    vocab_size=49408, hidden_size=768, intermediate_size=3072, num_hidden_layers=12,
    num_attention_heads=12, max_position_embeddings=77, hidden_act="quick_gelu",
    projection_dim=768, bos_token_id=0, eos_token_id=2, pad_token_id=1)

# As released: what is not said, such as the spacing of timesteps, is each sampler's own choice.
SCHEDULER = {
    "_class_name": "PNDMScheduler", "beta_end": 0.012, "beta_schedule": "scaled_linear",
    "beta_start": 0.00085, "clip_sample": False, "num_train_timesteps": 1000,
    "set_alpha_to_one": False, "skip_prk_steps": True, "steps_offset": 1, "trained_betas": None}


def tokenizer(path):
    """CLIP's vocabulary, made from its merge rules."""
    path.mkdir(parents=True, exist_ok=True)
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    symbols = [chr(b) for b in plain] + [chr(256 + i) for i in range(256 - len(plain))]
    rules = [line for line in MERGES.read_text().splitlines() if line]
    tokens = [*symbols, *(s + "</w>" for s in symbols), *("".join(r.split()) for r in rules),
              "<|startoftext|>", "<|endoftext|>"]
    (path / "vocab.json").write_text(
        json.dumps({token: i for i, token in enumerate(tokens)}, ensure_ascii=False))
    (path / "merges.txt").write_text("\n".join(["#version: 0.2", *rules]) + "\n")
    special = dict(bos_token="<|startoftext|>", eos_token="<|endoftext|>",
                   unk_token="<|endoftext|>", pad_token="<|endoftext|>")
    (path / "special_tokens_map.json").write_text(json.dumps(special))
    (path / "tokenizer_config.json").write_text(
        json.dumps({**special, "model_max_length": 77, "tokenizer_class": "CLIPTokenizer"}))


def models():
    """The three models in half precision, with torch's usual starting numbers."""
    torch.set_default_dtype(torch.float16)
    torch.manual_seed(15)
    unet = UNet2DConditionModel(**UNETS["sd15"])
    vae = AutoencoderKL(**AUTOENCODER, sample_size=512, scaling_factor=0.18215)
    text = CLIPTextModel(CLIPTextConfig(**TEXT))
    torch.set_default_dtype(torch.float32)
    return {"unet": unet, "vae": vae, "clip": text}


def single_file(parts):
    """The tensors of all parts under their original names."""
    with open(KEYS) as table:
        rows = list(csv.DictReader(table, delimiter="\t"))
    states = {part: {k.removeprefix("text_model."): v for k, v in model.state_dict().items()
                     if "position_ids" not in k} for part, model in parts.items()}
    found = {}
    for row in rows:
        key = row["diffusers_key"].removeprefix("text_model.")
        tensor = states[row["component"]].pop(key)
        if "attn_1" in row["single_file_key"] and tensor.dim() == 2:
            tensor = tensor[..., None, None]
        found[row["single_file_key"]] = tensor.contiguous()
    left = [key for state in states.values() for key in state]
    assert not left, left
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=pathlib.Path)
    out = parser.parse_args().out
    folder = out / "folder"
    parts = models()
    for name, part in (("unet", "unet"), ("vae", "vae"), ("text_encoder", "clip")):
        parts[part].save_pretrained(folder / name)
    (folder / "scheduler").mkdir(exist_ok=True)
    (folder / "scheduler/scheduler_config.json").write_text(json.dumps(SCHEDULER))
    tokenizer(folder / "tokenizer")
    (folder / "model_index.json").write_text(json.dumps({
        "_class_name": "StableDiffusionPipeline", "feature_extractor": [None, None],
        "requires_safety_checker": False, "safety_checker": [None, None],
        "scheduler": ["diffusers", "PNDMScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"], "vae": ["diffusers", "AutoencoderKL"]}))
    tensors = single_file(parts)
    save_file(tensors, str(out / "single.safetensors"), metadata={"format": "pt"})
    count = sum(tensor.numel() for tensor in tensors.values())
    print(f"{len(tensors)} tensors, {count} parameters")


if __name__ == "__main__":
    main()
