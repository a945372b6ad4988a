#!/usr/bin/env python3
"""Read an animated PNG with Pillow: print what it says, write the pixels of every frame.

The test AnimatedPNGTests compares both with what it wrote. Needs pillow.
Usage: scripts/peers/animated_png.py FILE.png PIXELS.bin
PIXELS.bin becomes uint8 [frames, height, width, 3]. Prints JSON: frames, width, height, mode, loops,
milliseconds (one per frame), text.
"""
import json
import sys

from PIL import Image


def main(path, pixels_path):
    milliseconds = []
    with Image.open(path) as image, open(pixels_path, "wb") as pixels:
        report = {"frames": image.n_frames, "width": image.width, "height": image.height}
        report |= {"mode": image.mode, "loops": image.info["loop"], "text": image.text}
        for index in range(image.n_frames):
            image.seek(index)
            pixels.write(image.convert("RGB").tobytes())
            milliseconds.append(image.info["duration"])
    print(json.dumps(report | {"milliseconds": milliseconds}))


if __name__ == "__main__":
    main(*sys.argv[1:])
