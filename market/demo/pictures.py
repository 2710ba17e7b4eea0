"""Pictures of the demo's goods, drawn here: beans, pods and weaves, no two alike, nothing taken from anybody."""

import io
import math
import random
from functools import cache

from PIL import Image, ImageDraw, ImageFilter

SIZE = (1200, 900)
Colour = tuple[int, int, int]


@cache
def picture(kind: str, seed: int) -> bytes:
    """Return a JPEG for goods of `kind` (coffee, cocoa, shawl, basket)."""
    chance = random.Random(f"{kind}{seed}")
    image = {"coffee": _coffee, "cocoa": _cocoa, "shawl": _shawl, "basket": _basket}[kind](chance)
    out = io.BytesIO()
    _lit(image).save(out, "JPEG", quality=82)
    return out.getvalue()


def _mixed(a: Colour, b: Colour, share: float) -> Colour:
    return (round(a[0] + (b[0] - a[0]) * share), round(a[1] + (b[1] - a[1]) * share), round(a[2] + (b[2] - a[2]) * share))


def _lit(image: Image.Image) -> Image.Image:
    """Let light fall from the upper left and soften the edges a little."""
    shade = Image.radial_gradient("L").resize((SIZE[0] * 2, SIZE[1] * 2)).crop((500, 400, 500 + SIZE[0], 400 + SIZE[1]))
    dark = Image.new("RGB", SIZE, (24, 14, 8))
    return Image.composite(dark, image, shade.point(lambda value: round(value * 0.45))).filter(ImageFilter.GaussianBlur(0.6))


def _bean(size: int, colour: Colour, seam: Colour | None, slim: float, angle: float) -> Image.Image:
    """Draw one bean with its light side, its seam and a soft edge."""
    tile = Image.new("RGBA", (size, size), (0, 0, 0, 0))
    draw = ImageDraw.Draw(tile)
    tall = size * slim
    for step in range(24):
        wide, high = step * size / 90, step * tall / 90
        box = (wide, (size - tall) / 2 + high * 0.9, size - 1 - wide * 1.1, (size + tall) / 2 - high * 1.2)
        draw.ellipse(
            box, fill=(*_mixed(_mixed(colour, (20, 10, 5), 0.45), _mixed(colour, (255, 240, 210), 0.35), step / 24), 255)
        )
    if seam is not None:
        points = [
            (x, size / 2 + math.sin((x - size * 0.1) / size * 2 * math.pi) * size * 0.05)
            for x in range(size // 10, size * 9 // 10)
        ]
        draw.line(points, fill=(*seam, 255), width=max(3, size // 22))
    return tile.rotate(angle, resample=Image.Resampling.BICUBIC)


def _heap(
    chance: random.Random, ground: Colour, colours: tuple[Colour, ...], seam: Colour | None, size: int, slim: float
) -> Image.Image:
    image = Image.new("RGB", SIZE, ground)
    for _ in range(round(SIZE[0] * SIZE[1] / size**2 * 7)):
        colour = _mixed(chance.choice(colours), (0, 0, 0), chance.random() * 0.15)
        bean = _bean(round(size * chance.uniform(0.85, 1.15)), colour, seam, slim, chance.uniform(0, 360))
        image.paste(bean, (chance.randint(-size, SIZE[0]), chance.randint(-size, SIZE[1])), bean)
    return image


def _coffee(chance: random.Random) -> Image.Image:
    greens = ((150, 158, 118), (166, 170, 128), (138, 146, 110), (176, 176, 140))
    return _heap(chance, (96, 100, 74), greens, (92, 92, 66), 120, 0.66)


def _cocoa(chance: random.Random) -> Image.Image:
    browns = ((112, 62, 38), (128, 70, 40), (98, 52, 34), (142, 84, 52))
    return _heap(chance, (58, 32, 20), browns, None, 170, 0.52)


def _shawl(chance: random.Random) -> Image.Image:
    """Weave warp and weft thread by thread."""
    wools = ((214, 200, 176), (188, 170, 142), (152, 132, 106), (110, 92, 74), (232, 222, 204))
    warp = [chance.choice(wools) for _ in range(24)]
    weft = [chance.choice(wools) for _ in range(18)]
    image = Image.new("RGB", SIZE, (120, 104, 84))
    draw = ImageDraw.Draw(image)
    step = 12
    for row in range(SIZE[1] // step + 1):
        for column in range(SIZE[0] // step + 1):
            over = (row + column) % 4 < 2
            colour = warp[column // 5 % 24] if over else weft[row // 5 % 18]
            colour = _mixed(colour, (40, 30, 20), chance.random() * 0.18)
            x, y = column * step, row * step
            draw.rounded_rectangle((x, y, x + step - 2, y + step - 2), radius=4, fill=colour)
    return image


def _basket(chance: random.Random) -> Image.Image:
    """Braid palm strips, each with its shadow."""
    palms = ((222, 190, 128), (204, 170, 108), (190, 154, 92), (232, 206, 150))
    image = Image.new("RGB", SIZE, (98, 72, 40))
    draw = ImageDraw.Draw(image)
    wide, tall = 74, 46
    for row in range(-1, SIZE[1] // tall + 2):
        for column in range(-1, SIZE[0] // wide + 2):
            x, y = column * wide + (row % 2) * wide // 2, row * tall
            colour = chance.choice(palms)
            draw.rounded_rectangle((x + 3, y + 5, x + wide - 1, y + tall + 3), radius=18, fill=_mixed(colour, (30, 18, 6), 0.7))
            draw.rounded_rectangle((x, y, x + wide - 5, y + tall - 3), radius=18, fill=colour)
            for line in range(3):
                at = y + 9 + line * 11
                draw.line(
                    (x + 12, at, x + wide - 18, at + chance.randint(-2, 2)), fill=_mixed(colour, (90, 60, 20), 0.35), width=2
                )
    return image
