"""Makes a folder of real photographs out of Debian packages, to train a style or test on.

    pip install pillow
    python scripts/data/photos.py OUT [--cache CACHE]

The packages are fetched with `apt-get download` and unpacked with `dpkg -x` into CACHE: nothing is
installed and no root is needed. JPEG photographs whose short side is at least 512 pixels are copied
to OUT unchanged; OUT/LICENSES.txt names package, licence and author of each. Screenshots, drawings
and rendered wallpapers of the same packages are left out by name.
"""

import argparse
import fnmatch
import re
import shutil
import subprocess
from pathlib import Path

from PIL import Image

Image.MAX_IMAGE_PIXELS = None
MIN_SIDE = 512

# Package → patterns of its photographs, below /usr/share.
PACKAGES = {
    "lomiri-wallpapers-16.04": ["backgrounds/*.jpg"],
    "mate-backgrounds": ["backgrounds/mate/nature/*.jpg"],
    "palapeli-data": ["palapeli/collection/*.jpg"],
    "plasma-workspace-wallpapers": [
        f"wallpapers/{name}/contents/images/2560x1600.jpg"
        for name in (
            "BytheWater",
            "ColorfulCups",
            "EveningGlow",
            "FallenLeaf",
            "Grey",
            "Kite",
            "OneStandsOut",
            "Path",
        )
    ],
    "tuxpaint-data": ["tuxpaint/templates/*.jpg"],
}
LEFT_OUT = ["analogpattern*", "umang*", "Aqua.jpg", "Blinds.jpg", "Wood.jpg", "spiders_web.jpg"]


def unpack(package: str, cache: Path) -> Path:
    """Downloads `package` once and returns the folder with its files."""
    folder = cache / package
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        subprocess.run(["apt-get", "download", "-q", package], cwd=cache, check=True)
        (archive,) = cache.glob(f"{package}_*.deb")
        subprocess.run(["dpkg", "-x", archive, folder], check=True)
    return folder


def licence(copyright_text: str, name: str) -> str:
    """Licence and copyright holder of the last paragraph of debian/copyright that covers `name`.

    Folder patterns (`po/*`) never cover a picture here; `*` covers everything.
    """
    found = "see debian/copyright of the package"
    for paragraph in re.split(r"\n\s*\n", copyright_text):
        fields = dict(re.findall(r"^(Files|License|Copyright):\s*(\S.*)", paragraph, re.M))
        patterns = [p for p in fields.get("Files", "").split() if p == "*" or not p.endswith("/*")]
        if any(fnmatch.fnmatch(name, pattern.rsplit("/", 1)[-1]) for pattern in patterns):
            found = f"{fields['License']}, copyright {fields['Copyright'].strip(' ´')}"
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--cache", type=Path, default=Path("/tmp/imgen-photos"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)

    lines = []
    for package, patterns in PACKAGES.items():
        root = unpack(package, options.cache)
        terms = (root / f"usr/share/doc/{package}/copyright").read_text("utf-8")
        for path in sorted(p for pattern in patterns for p in (root / "usr/share").glob(pattern)):
            if any(fnmatch.fnmatch(path.name, pattern) for pattern in LEFT_OUT):
                continue
            with Image.open(path) as image:
                if min(image.size) < MIN_SIDE:
                    continue
            # plasma wallpapers are all called <size>.jpg: use the wallpaper's name
            stem = path.parents[2].name if path.parent.name == "images" else path.stem
            name = f"{package.split('-')[0]}-{stem}.jpg".lower()
            shutil.copyfile(path, options.out / name)
            lines.append(f"{name}: {package}, {licence(terms, path.name)}\n")
    (options.out / "LICENSES.txt").write_text("".join(lines), "utf-8")
    print(len(lines), "photographs in", options.out)


if __name__ == "__main__":
    main()
