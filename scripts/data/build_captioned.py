"""Builds a captioned picture set out of freely licensed Debian packages.

    apt-get install fonts-noto-color-emoji unicode-data unicode-cldr-core \\
        openclipart-svg librsvg2-bin wordnet-base wamerican-small
    pip install pillow numpy
    python scripts/data/build_captioned.py OUT [--size 128] [--only noto,openclipart]

Result
    OUT/<source>/<number>.png   RGB, --size square, the subject centred on white
    OUT/metadata.jsonl          one JSON object per picture:
        file_name   path below OUT
        text        the main caption, a natural prompt: "a red apple"
        captions    all captions, the main one first; pick one at random when training
        label       the subject without article and style: "red apple"
        style       "emoji", "clip art", "line drawing" or "silhouette"
        group       the subject area the source files it under
        origin      the code points or the file it was made from
        source, license

Sources
    noto         Noto Color Emoji (Apache-2.0 art, OFL-1.1 font). Captions are the Unicode names,
                 put into prompt form, with CLDR keywords as alternatives. Flags and symbols are
                 left out, of skin tones only the default is taken, of people one picture each.
    openclipart  Open Clip Art Library 0.18 (public domain). The caption is the title, else the
                 file name; it must end in a concrete English noun. Authors' names, icon themes,
                 shapes, signs, flags and playing cards are left out.

The same packages give the same files: nothing is random. Takes about two minutes.
"""

import argparse
import collections
import html
import io
import json
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from captions import (
    CLIP_ART_LABELS,
    CLIP_ART_LEFT_OUT,
    CLIP_ART_NAMES,
    COLOURS,
    EMOJI_LEFT_OUT,
    EMOJI_NAMES,
    ITALIAN,
    KEYWORDS_LEFT_OUT,
    STOP_WORDS,
    STYLE_WORDS,
    VAGUE,
    with_article,
)

USR = Path("/usr/share")
MARGIN = 0.06  # white border on each side of the longer dimension
SIMILAR = 4.0  # mean absolute difference (of 255) below which two pictures are the same


@dataclass
class Picture:
    """One candidate of a source, before cropping and de-duplication."""

    image: Image.Image  # RGBA
    label: str
    captions: list[str]
    style: str
    group: str
    origin: str
    takes_colour: bool = True


# --- pictures -----------------------------------------------------------------------------------


def subject_mask(image: Image.Image) -> np.ndarray:
    """Which pixels belong to the subject: the opaque ones, or on an opaque page those not white."""
    pixels = np.asarray(image)
    opaque = pixels[..., 3] > 16
    return opaque if opaque.mean() < 0.97 else (pixels[..., :3] < 245).any(2)


def centred(image: Image.Image, size: int) -> Image.Image | None:
    """The subject scaled to the square with the common margin, on white; None if unusable."""
    mask = subject_mask(image)
    if not mask.any():
        return None
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    image = image.crop((columns[0], rows[0], columns[-1] + 1, rows[-1] + 1))
    longer, shorter = max(image.size), min(image.size)
    if longer > 5 * shorter:
        return None
    scale = size * (1 - 2 * MARGIN) / longer
    scaled = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    image = image.convert("RGBa").resize(scaled, Image.Resampling.LANCZOS).convert("RGBA")
    page = Image.new("RGBA", (size, size), "white")
    page.alpha_composite(image, ((size - image.width) // 2, (size - image.height) // 2))
    page = page.convert("RGB")
    return page if (np.asarray(page) < 225).any(2).mean() > 0.04 else None


def pixel_colours(image: Image.Image) -> np.ndarray:
    """The colour name of every pixel that is not background; "unclear" between two names."""
    rgb = np.asarray(image.resize((48, 48), Image.Resampling.BOX), np.float32).reshape(-1, 3) / 255
    rgb = rgb[rgb.min(1) < 0.94]
    high, low = rgb.max(1), rgb.min(1)
    spread = np.maximum(high - low, 1e-6)
    red, green, blue = rgb.T
    sector = np.where(
        high == red,
        ((green - blue) / spread) % 6,
        np.where(high == green, (blue - red) / spread + 2, (red - green) / spread + 4),
    )
    hue, saturation = 60 * sector, spread / np.maximum(high, 1e-6)
    bounds = [14, 45, 68, 165, 195, 260, 290, 340]
    names = ["red", "orange", "yellow", "green", "turquoise", "blue", "purple", "pink", "red"]
    colours = np.array(names, dtype=object)[np.searchsorted(bounds, hue)]
    warm = (hue > 8) & (hue < 45)
    colours[warm & (saturation < 0.75)] = "unclear"  # skin, crust and sand
    colours[(hue > 145) & (hue < 260) & (saturation < 0.42)] = "unclear"  # steel and glass
    colours[warm & (high < 0.74)] = "brown"
    colours[((hue <= 22) | (hue > 335)) & (saturation < 0.55) & (high > 0.85)] = "pink"
    colours[(hue > 270) & (hue < 340) & (high < 0.75)] = "purple"
    grey = (saturation < 0.2) | (spread < 0.08)
    colours[grey] = "grey"
    colours[grey & (low > 0.82)] = "white"
    colours[(high < 0.2) | (grey & (high < 0.3))] = "black"
    return colours


def clear_colour(image: Image.Image) -> str | None:
    """The colour word of a picture that is mainly of one colour; outlines do not count."""
    counts = collections.Counter(pixel_colours(image))
    if sum(counts.values()) < 250:
        return None
    outlines = {name: counts.pop(name, 0) for name in ("black", "white", "grey")}
    total, neutral = sum(counts.values()), sum(outlines.values())
    if counts and total > neutral:
        name, count = counts.most_common(1)[0]
        return name if count > 0.72 * total and name != "unclear" else None
    name = max(outlines, key=outlines.get)
    return name if outlines[name] > 0.75 * (total + neutral) and name != "white" else None


def thumbnail(image: Image.Image) -> np.ndarray:
    """The features that near-duplicates share: a small RGB version."""
    small = image.resize((24, 24), Image.Resampling.BOX)
    return np.asarray(small, np.float32).reshape(-1)


# --- captions -----------------------------------------------------------------------------------


def coloured(label: str, colour: str) -> str:
    """`label` with a colour word in front of its noun: "big dog" → "big brown dog"."""
    adjective = re.match(
        r"(big|small|little|old|happy|sad|angry|cute|funny|closed|open) (?=\w)", label
    )
    start = adjective.end() if adjective else 0
    return f"{label[:start]}{colour} {label[start:]}"


def add_colour(picture: Picture, image: Image.Image) -> None:
    """Adds a caption with the dominant colour unless the label has a colour word already."""
    if not picture.takes_colour or re.search(r"^the |^two | and ", picture.label):
        return
    if COLOURS & set(re.findall(r"[a-z]+", picture.label)):
        return
    colour = clear_colour(image)
    if colour:
        ending = "" if picture.style == "emoji" else f", {picture.style}"
        picture.captions.append(with_article(coloured(picture.label, colour)) + ending)


class WordNet:
    """The nouns whose first meaning is a thing that can be drawn."""

    # animal, artefact, body, food, object, person, plant
    DRAWABLE = {5, 6, 8, 13, 17, 18, 20}

    def __init__(self, folder: Path) -> None:
        area, self.broader, self.names = {}, {}, {}
        for line in (folder / "data.noun").read_text("latin-1").splitlines():
            if not line.startswith(" "):
                parts = line.split(" | ")[0].split(" ")
                area[parts[0]] = int(parts[1])
                self.broader[parts[0]] = re.findall(r"@i? (\d{8}) n", line)
                end = 4 + 2 * int(parts[3], 16)
                self.names[parts[0]] = {n.lower().replace("_", " ") for n in parts[4:end:2]}
        self.nouns, self.drawable, self.meanings = set(), set(), {}
        for line in (folder / "index.noun").read_text("latin-1").splitlines():
            if line.startswith(" "):
                continue
            parts = line.split()
            name = parts[0].replace("_", " ")
            self.nouns.add(name)
            self.meanings[name] = parts[-int(parts[2]) :]
            if area.get(parts[-int(parts[2])]) in self.DRAWABLE:
                self.drawable.add(name)

    def singular(self, word: str) -> str | None:
        """The entry for `word` or for what it is the plural of."""
        for ending, replacement in (("", ""), ("ies", "y"), ("ves", "f"), ("es", ""), ("s", "")):
            stem = word.removesuffix(ending) + replacement if word.endswith(ending) else ""
            if stem in self.nouns:
                return stem
        return None

    def is_kind_of(self, word: str, general: str) -> bool:
        """Whether `general` is a synonym of `word` or a not too general word for it."""
        level = self.meanings.get(self.singular(word), [])
        for _ in range(5):
            if any(general in self.names[meaning] for meaning in level):
                return True
            level = [parent for meaning in level for parent in self.broader[meaning]]
        return False

    def is_drawable(self, word: str) -> bool:
        return self.singular(word) in self.drawable and len(word) > 2


# --- Noto Color Emoji ---------------------------------------------------------------------------


def emoji_list(path: Path):
    """Yields (text, name, group, subgroup) of the fully qualified emoji without skin tones."""
    group = subgroup = ""
    for line in path.read_text("utf-8").splitlines():
        if line.startswith("# group:"):
            group = line.split(": ", 1)[1]
        elif line.startswith("# subgroup:"):
            subgroup = line.split(": ", 1)[1]
        match = re.match(r"([0-9A-F ]+?)\s*; fully-qualified\s*# \S+ E[\d.]+ (.*)", line)
        if match:
            text = "".join(chr(int(code, 16)) for code in match[1].split())
            if not any(0x1F3FB <= ord(c) <= 0x1F3FF for c in text):
                yield text, match[2].replace("’", "'"), group, subgroup


def cldr_keywords(path: Path) -> dict[str, list[str]]:
    """CLDR's English search words by emoji, without variation selectors."""
    entries = re.findall(r'<annotation cp="([^"]+)">([^<]+)<', path.read_text("utf-8"))
    return {text: [w.strip() for w in html.unescape(words).split("|")] for text, words in entries}


def emoji_label(name: str, group: str, subgroup: str) -> str | None:
    """An emoji name as a noun phrase, or None if the emoji is left out."""
    if name in EMOJI_LEFT_OUT:
        return None
    if name in EMOJI_NAMES:
        return EMOJI_NAMES[name]
    if match := re.fullmatch(r"(\w+) o'clock", name):
        return f"clock showing {match[0]}"
    if match := re.fullmatch(r"(\w+)-thirty", name):
        return f"clock showing half past {match[1]}"
    if match := re.fullmatch(r"(person|man|woman): (.*)", name):
        who, what = match.groups()
        if who == "person":
            return None
        return {"bald": f"bald {who}", "beard": f"{who} with a beard"}.get(
            what, f"{who} with {what}"
        )
    if subgroup == "person-role" and re.match(r"(wo)?man (?!in|with|feeding)", name):
        return None
    # "sun behind large cloud" → "sun behind a large cloud"
    return re.sub(
        r"(?<= )(with|behind|taking|rowing|getting|bouncing|facing) (.+)$",
        lambda match: f"{match[1]} {with_article(match[2])}",
        name,
    )


# CLDR keyword of a smiley → the adjective it stands for.
FEELINGS = {"sad": "sad", "sick": "sick", "tired": "tired", "sleepy": "sleepy", "laugh": "laughing"}


def noto():
    """Yields the emoji pictures (136 x 128 bitmaps inside the font)."""
    font = ImageFont.truetype(
        USR / "fonts/truetype/noto/NotoColorEmoji.ttf", 109, layout_engine=ImageFont.Layout.RAQM
    )
    keywords = cldr_keywords(USR / "unicode/cldr/common/annotations/en.xml")
    words = WordNet(USR / "wordnet")
    for text, name, group, subgroup in emoji_list(USR / "unicode/emoji/emoji-test.txt"):
        if group in ("Flags", "Symbols", "Component"):
            continue
        is_sequence = "\u200d" in text
        if group == "People & Body" and is_sequence and subgroup not in ("person-role", "person"):
            continue
        label = emoji_label(name, group, subgroup)
        if label is None or font.getlength(text) > 160:  # wider: a sequence without its own glyph
            continue
        image = Image.new("RGBA", (300, 160))
        ImageDraw.Draw(image).text((10, 10), text, font=font, embedded_color=True)
        caption = with_article(label)
        captions = [caption, f"{caption}, emoji"]
        noun = re.split(r" (?:with|of|in|on|and|at) ", label)[0]
        noun = noun if noun in words.nouns else noun.split()[-1]
        is_face = subgroup.startswith("face-") and "face" in label
        if subgroup == "face-smiling" and label.startswith(("smiling", "grinning", "beaming")):
            captions.append("a happy yellow face")
        if subgroup == "face-concerned" and re.search("frown|worried|disappoint|downcast", label):
            captions.append("a sad yellow face")
        for word in keywords.get(text.replace("\ufe0f", ""), []):
            if word in KEYWORDS_LEFT_OUT or word in label.split() or word == label:
                continue
            if is_face and word in FEELINGS:
                captions.append(f"a {FEELINGS[word]} face")
            elif not is_face and group != "People & Body" and words.is_kind_of(noun, word):
                captions.append(with_article(word))
        if subgroup.startswith("animal") and label.endswith(" face"):
            captions.append(with_article(label.replace(" face", " head")))
        if is_face and not COLOURS & set(label.split()):
            captions.append(with_article(label).replace("face", "yellow face", 1))
        code = " ".join(f"{ord(c):04X}" for c in text)
        takes_colour = group not in ("Smileys & Emotion", "People & Body")
        yield Picture(
            image, label, captions[:6], "emoji", f"{group}/{subgroup}", code, takes_colour
        )


# --- Open Clip Art Library ----------------------------------------------------------------------

CLIP_ART_FOLDERS = (
    "animals",
    "buildings",
    "computer/hardware",
    "containers",
    "education",
    "electronics",
    "food",
    "geography/astronomy",
    "office",
    "people",
    "plants",
    "recreation",
    "science",
    "signs_and_symbols/awards",
    "signs_and_symbols/clocks",
    "signs_and_symbols/money",
    "signs_and_symbols/weather",
    "tools",
    "transportation",
    "unsorted",
)
CLIP_ART_SKIPPED = (
    "education/numbers",
    "people/clothing/pantyhose",
    "people/smilies",
    "people/stickmen",
    "recreation/games/cards",
    "recreation/religion",
    "tools/weapons",
    "transportation/aiga-symbols",
    "transportation/roadsigns",
    "unsorted/duplicates",
)


def words_of(text: str) -> list[str]:
    """The lower-case words of a title or file name; CamelCase is split, digits are dropped."""
    return re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).lower())


def noun_phrase(
    candidates: list[str], author: set[str], words: WordNet, known: set[str]
) -> str | None:
    """The words up to the first stop word, if they are English and end in a drawable noun."""
    phrase = []
    for word in (ITALIAN.get(word, word) for word in candidates):
        if word in STOP_WORDS and phrase:
            break
        if word in STOP_WORDS or word in STYLE_WORDS or word in author or len(word) < 2:
            continue
        phrase.append(word)
    flat = " ".join(phrase).split()
    while flat and flat[-1] not in known:  # a truncated word or the author's nickname
        flat.pop()
    if not flat or len(flat) > 4 or any(word not in known for word in flat):
        return None
    last = flat[-1]
    pair = " ".join(flat[-2:])
    if last in VAGUE or not (words.is_drawable(pair) or words.is_drawable(last)):
        return None
    return " ".join(word for i, word in enumerate(flat) if i == 0 or word != flat[i - 1])


def clip_art_label(path: Path, words: WordNet, known: set[str], titles) -> str | None:
    """What an SVG file shows, from its metadata and name; None if that cannot be told."""
    if path.stem in CLIP_ART_NAMES:
        return CLIP_ART_NAMES[path.stem]
    text = path.read_bytes()[:300_000].decode("utf-8", "replace")

    def element(pattern: str) -> str:
        match = re.search(pattern, text, re.S)
        return html.unescape(html.unescape(re.sub("<.*?>", " ", match[1]))).strip() if match else ""

    title = element(r"<dc:title>(.*?)</dc:title>")
    author = set(words_of(element(r"<dc:creator>.*?<dc:title>(.*?)</dc:title>")))
    stem = words_of(path.stem)
    author |= {w for w in stem for name in author if len(w) > 2 and name.startswith(w)}
    author |= {"ganson", "architetto", "nicu", "gerald", "lumen", "benji", "mo", "jarno", "molumen"}
    from_title = None
    if not re.search(r"[Cc]lip ?[Aa]rts?\b|Icons|iconset|SVG", title) and titles[title] <= 8:
        from_title = noun_phrase(words_of(title), author, words, known)
    if "Road Signs" in title:
        return None
    label = from_title or noun_phrase(stem, author, words, known)
    return None if label in CLIP_ART_LEFT_OUT else CLIP_ART_LABELS.get(label, label)


def rendered(path: Path) -> Image.Image | None:
    """The SVG at 512 pixels, or None if librsvg cannot draw it."""
    try:
        command = ["rsvg-convert", "-a", "-w", "512", "-h", "512", str(path)]
        run = subprocess.run(command, capture_output=True, timeout=20, check=True)
        return Image.open(io.BytesIO(run.stdout)).convert("RGBA")
    except (subprocess.SubprocessError, OSError):
        return None


def drawing_style(image: Image.Image) -> str:
    """Colour drawing, line drawing or silhouette."""
    pixels = np.asarray(image.resize((128, 128)))
    rgb = pixels[subject_mask(image.resize((128, 128)))][:, :3].astype(int)
    if len(rgb) == 0 or np.percentile(rgb.max(1) - rgb.min(1), 98) >= 28:
        return "clip art"
    dark, light = (rgb.max(1) < 60).mean(), (rgb.min(1) > 200).mean()
    if dark > 0.85 and light < 0.1:
        return "silhouette"
    return "line drawing" if dark + light > 0.75 else "clip art"  # else shades of grey


def openclipart():
    """Yields the clip art pictures."""
    root = USR / "openclipart/svg"
    words = WordNet(USR / "wordnet")
    dictionary = Path("/usr/share/dict/american-english-small").read_text("utf-8").split("\n")
    known = {w for w in dictionary if w.islower() and len(w) > 1} | set(ITALIAN.values())
    known |= {
        w for label in words.drawable for w in label.split() if " " not in label and len(w) > 4
    }
    files = []
    for path in sorted(root.rglob("*.svg")):
        relative = path.relative_to(root).as_posix()
        if relative.startswith(CLIP_ART_FOLDERS) and not relative.startswith(CLIP_ART_SKIPPED):
            if path.stem not in CLIP_ART_LEFT_OUT and "_mateya_" not in path.stem:  # black cards
                files.append((path, relative))
    titles = collections.Counter()
    for path, _ in files:
        match = re.search(rb"<dc:title>(.*?)</dc:title>", path.read_bytes()[:300_000], re.S)
        titles[match[1].decode("utf-8", "replace").strip() if match else ""] += 1
    jobs = []
    for path, relative in files:
        label = clip_art_label(path, words, known, titles)
        if label:
            jobs.append((path, relative, label))
    with ThreadPoolExecutor() as pool:
        for (path, relative, label), image in zip(jobs, pool.map(rendered, [j[0] for j in jobs])):
            if image is None:
                continue
            style = drawing_style(image)
            subject = with_article(label)
            captions = {
                "clip art": [f"clip art of {subject}", subject],
                "silhouette": [f"a black silhouette of {subject}"],
                "line drawing": [f"a black and white drawing of {subject}"],
            }[style]
            captions.insert(0, f"{subject}, {style}")
            group = relative.rsplit("/", 1)[0]
            yield Picture(image, label, captions, style, group, relative, style == "clip art")


# --- the set ------------------------------------------------------------------------------------

SOURCES = {
    "noto": (noto, "Apache-2.0 (art), OFL-1.1 (font)"),
    "openclipart": (openclipart, "public domain"),
}


def build(source: str, out: Path, size: int, seen: list[np.ndarray]) -> list[dict]:
    """Writes the pictures of one source and returns their metadata; `seen` is carried on."""
    make, licence = SOURCES[source]
    (out / source).mkdir(parents=True, exist_ok=True)
    rows, dropped = [], collections.Counter()
    for picture in make():
        image = centred(picture.image, size)
        if image is None:
            dropped["blank or too long"] += 1
            continue
        features = thumbnail(image)
        if seen and np.abs(np.stack(seen) - features).mean(1).min() < SIMILAR:
            dropped["duplicate"] += 1
            continue
        seen.append(features)
        add_colour(picture, image)
        name = f"{source}/{len(rows):05d}.png"
        image.save(out / name)
        rows.append(
            {
                "file_name": name,
                "text": picture.captions[0],
                "captions": list(dict.fromkeys(picture.captions)),
                "label": picture.label,
                "style": picture.style,
                "group": picture.group,
                "origin": picture.origin,
                "source": source,
                "license": licence,
            }
        )
    print(f"{source}: {len(rows)} pictures, left out {dict(dropped)}")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--only", default=",".join(SOURCES), help="sources, separated by commas")
    options = parser.parse_args()
    seen: list[np.ndarray] = []
    rows = [
        row
        for source in options.only.split(",")
        for row in build(source, options.out, options.size, seen)
    ]
    with open(options.out / "metadata.jsonl", "w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
