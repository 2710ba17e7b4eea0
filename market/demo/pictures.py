"""Pictures of the demo's goods, drawn here: a table before the hills, and on it what is sold. No two alike, nothing taken from anybody.

Flat colours on purpose: such a picture takes a few kilobytes where a photo takes fifty.
"""

from collections.abc import Callable
from functools import cache
from math import cos, pi, sin
from random import Random

from market.demo.canvas import HEIGHT, WIDTH, Colour, Point, Sheet, around, curve, dark, light, mix, shadow
from market.demo.craft import basket, cotton, shawl

# Sky above, sky below, sun, hills from far to near.
_LIGHTS: tuple[tuple[Colour, Colour, Colour, tuple[Colour, Colour, Colour]], ...] = (
    ("#f7d9a8", "#fbeed6", "#f2a541", ("#c9cfa4", "#93ad7c", "#5f8a62")),
    ("#bfdfe0", "#eaf3e6", "#f8e2a0", ("#a9c9b0", "#78a886", "#4b7d63")),
    ("#f3c3a5", "#fae3cf", "#e4703f", ("#d0b39a", "#a58f6e", "#6f7a52")),
    ("#d3e3c8", "#f4f1dc", "#f6c85a", ("#b5cf9a", "#86b27a", "#4f8a5c")),
    ("#c8d6e4", "#f1ece0", "#f7efd2", ("#b3c0c4", "#8aa39b", "#5d7f72")),
)
_BOARDS = (("#b9814f", "#a06c3e"), ("#8f6846", "#7a5737"), ("#d9cdb8", "#c6b79c"), ("#a8553a", "#90452d"))


def _place(sheet: Sheet, width: int = WIDTH) -> None:
    """Draw sky, sun, hills with rows of what grows there, and the table."""
    chance = sheet.chance
    above, below, sun, hills = chance.choice(_LIGHTS)
    for row in range(0, 460, 20):
        sheet.shape([(0, row), (width, row), (width, row + 21), (0, row + 21)], mix(above, below, row / 460))
    sheet.oval(chance.uniform(140, 820), chance.uniform(90, 190), radius := chance.uniform(44, 74), radius, sun)
    for n, hill in enumerate(hills):
        base, shift, swell = 250 + n * 75, chance.uniform(0, 6), chance.uniform(24, 58)
        ridge = [
            (x, base + sin(x / chance_width + shift) * swell + sin(x / 90 + shift * 2) * 8)
            for chance_width in (chance.uniform(130, 240),)
            for x in range(0, width + 20, 20)
        ]
        sheet.shape([*ridge, (width, 640), (0, 640)], hill)
        if n:
            for row in range(1, 5):
                sheet.line([(x, y + row * 17 * n) for x, y in ridge[:: 4 + n]], 2.5 * n, light(hill, 0.14))
    board, grain = chance.choice(_BOARDS)
    sheet.shape([(0, 540), (width, 540), (width, HEIGHT), (0, HEIGHT)], board)
    sheet.shape([(0, 540), (width, 540), (width, 548), (0, 548)], light(board, 0.25))
    for y in (590, 640, 690):
        sheet.line([(0, y + chance.uniform(-6, 6)), (width / 2, y + chance.uniform(-8, 8)), (width, y)], 3, grain)


def _coffee(sheet: Sheet) -> None:
    """A sack of green or roasted beans, a scoop of them on the table, a branch with ripe cherries."""
    chance = sheet.chance
    roasted = chance.random() < 0.4
    beans = ("#5a3824", "#6b442b", "#4a2d1c") if roasted else ("#a7ab78", "#b9b98a", "#949a69")
    jute, x = chance.choice(("#cfae7c", "#c39f6d", "#d8bd92")), chance.uniform(380, 480)
    shadow(sheet, x, 640, 240)
    outline = curve(
        [(x - 190, 400), (x - 215, 520), (x - 190, 640), (x, 655), (x + 190, 640), (x + 215, 520), (x + 190, 400), (x, 372)]
    )
    sheet.shape(outline, jute)

    def weave() -> None:
        sheet.shape([(x + 60, 360), (x + 240, 360), (x + 240, 670), (x + 110, 670)], dark(jute, 0.12))
        for step in range(-240, 260, 16):
            sheet.line([(x + step, 370), (x + step * 1.05, 660)], 2, dark(jute, 0.16))
        stripe = chance.choice(("#7c2f0c", "#1b5440", "#1f4a66"))
        for offset in (-26, 26):
            sheet.line([(x + offset * 1.6, 380), (x + offset * 1.9, 660)], 11, stripe)

    sheet.inside(outline, weave)
    sheet.oval(x, 398, 196, 50, dark(jute, 0.3))
    _beans(sheet, beans, [(x + 176 * u * cos(a), 392 + 42 * u * sin(a) - 26 * (1 - u)) for u, a in _disc(chance, 90)], 25)
    for side in (-1, 1):
        sheet.smooth(
            [(x + side * 150, 372), (x + side * 205, 392), (x + side * 212, 426), (x + side * 168, 420)], light(jute, 0.2)
        )
    _beans(sheet, beans, [(x + 270 + chance.gauss(0, 62), 640 + chance.gauss(0, 16)) for _ in range(26)], 25)
    _branch(sheet, 120 if x > 430 else 900, 250, 1 if x > 430 else -1)


def _disc(chance: Random, count: int) -> list[Point]:
    return sorted(
        ((chance.random() ** 0.5, chance.uniform(0, 2 * pi)) for _ in range(count)), key=lambda one: one[0] * sin(one[1])
    )


def _beans(sheet: Sheet, colours: tuple[Colour, ...], places: list[Point], size: float) -> None:
    for x, y in places:
        turn, colour = sheet.chance.uniform(0, pi), sheet.chance.choice(colours)
        sheet.oval(x, y + 2, size, size * 0.66, dark(colour, 0.35), turn)
        sheet.oval(x, y - 1, size * 0.94, size * 0.6, colour, turn)
        c, s = cos(turn) * size * 0.75, sin(turn) * size * 0.75
        sheet.line([(x - c, y - s), (x + s * 0.12, y - c * 0.12), (x + c, y + s)], 3.5, dark(colour, 0.4))


def _branch(sheet: Sheet, x: float, y: float, side: int) -> None:
    """Hang a branch with cherries into the picture."""
    chance = sheet.chance
    ends = [(x - side * 160, y - 150), (x, y - 40), (x + side * 110, y + 70)]
    sheet.line(ends, 10, "#6b5136")
    for n in range(5):
        at = (x - side * (120 - n * 55), y - 120 + n * 46)
        for up in (-1, 1):
            turn = (0.45 + up * 0.8) if side > 0 else pi - 0.45 - up * 0.8
            sheet.leaf(
                *at, chance.uniform(120, 160), turn + chance.uniform(-0.2, 0.2), chance.choice(("#2f6b4a", "#3a7d55", "#28593e"))
            )
    for n in range(9):
        cx, cy = x - side * (90 - n * 22) + chance.uniform(-16, 16), y - 96 + n * 20 + chance.uniform(-6, 34)
        red = chance.choice(("#b3261e", "#c8402a", "#9c1c2a", "#d98a2b"))
        sheet.oval(cx, cy, 23, 22, red)
        sheet.oval(cx - 7, cy - 8, 6, 5, light(red, 0.5))


def _cocoa(sheet: Sheet) -> None:
    """Pods in the colours of ripeness, one of them cut open, beans before them."""
    chance = sheet.chance
    colours = chance.sample(["#d98a2b", "#b9532c", "#8d3b46", "#c9a13b", "#9a5a2b"], 4)
    shadow(sheet, 480, 640, 380)
    for n, (left, top, tilt) in enumerate(((300, 520, -0.5), (610, 500, 0.35), (455, 560, -0.1))):
        _pod(sheet, left + chance.uniform(-24, 24), top, chance.uniform(150, 180), tilt + chance.uniform(-0.2, 0.2), colours[n])
    x, y, turn = chance.uniform(700, 760), 600, chance.uniform(-0.3, 0.1)
    _pod(sheet, x, y, 160, turn, colours[3])
    sheet.oval(x, y - 10, 140, 60, "#f1dfb8", turn)
    sheet.oval(x, y - 8, 122, 46, "#e8cf9c", turn)
    for n in range(-3, 4):
        for up in (-1, 1):
            sheet.oval(
                x + n * 32 * cos(turn) - up * 18 * sin(turn), y - 8 + n * 32 * sin(turn) + up * 17, 20, 16, "#fbf3df", turn
            )
            sheet.oval(
                x + n * 32 * cos(turn) - up * 18 * sin(turn) + 3, y - 5 + n * 32 * sin(turn) + up * 17, 12, 9, "#e6d2ae", turn
            )
    _beans(
        sheet, ("#6b3a24", "#7d4629", "#5a3020"), [(250 + chance.gauss(0, 90), 652 + chance.gauss(0, 13)) for _ in range(22)], 26
    )
    for turn in (-2.3, -2.7, -0.5):
        sheet.leaf(300, 440, chance.uniform(150, 190), turn, "#3f7a4c")


def _pod(sheet: Sheet, x: float, y: float, length: float, turn: float, colour: Colour) -> None:
    outline = around(x, y, length, length * 0.5, turn)
    sheet.shape(outline, dark(colour, 0.22))
    for n, share in enumerate((0.42, 0.3, 0.17, 0.05)):
        tone = light(colour, 0.05 + n * 0.09) if n % 2 else dark(colour, 0.05)
        sheet.oval(
            x + sin(turn) * share * 18,
            y - share * length * 0.16,
            length * (0.97 - n * 0.02),
            length * (0.46 - n * 0.115),
            tone,
            turn,
        )
    tip = x + cos(turn) * length * 0.98, y + sin(turn) * length * 0.98
    sheet.oval(*tip, 15, 9, dark(colour, 0.3), turn)
    stalk = x - cos(turn) * length, y - sin(turn) * length
    sheet.line([stalk, (stalk[0] - cos(turn) * 34, stalk[1] - sin(turn) * 34 - 8)], 13, "#6b5136")


def _honey(sheet: Sheet) -> None:
    """A jar, a dipper with its thread of honey, a piece of comb, a bee or two."""
    chance = sheet.chance
    gold = chance.choice(("#e0951f", "#c9761b", "#eab13c", "#a85a17"))
    x = chance.uniform(360, 430)
    shadow(sheet, x, 648, 190)
    glass = curve(
        [
            (x - 140, 330),
            (x - 160, 380),
            (x - 160, 620),
            (x - 130, 650),
            (x + 130, 650),
            (x + 160, 620),
            (x + 160, 380),
            (x + 140, 330),
        ]
    )
    sheet.shape(glass, light(gold, 0.5))

    def fill() -> None:
        sheet.shape([(x - 180, 372), (x + 180, 372), (x + 180, 670), (x - 180, 670)], gold)
        sheet.shape([(x + 70, 372), (x + 180, 372), (x + 180, 670), (x + 96, 670)], dark(gold, 0.14))
        sheet.shape([(x - 132, 372), (x - 96, 372), (x - 96, 670), (x - 132, 670)], light(gold, 0.42))

    sheet.inside(glass, fill)
    sheet.oval(x, 372, 158, 20, light(gold, 0.25))
    sheet.shape([(x - 146, 286), (x + 146, 286), (x + 146, 336), (x - 146, 336)], "#f6efe0")
    sheet.smooth(
        [(x - 160, 300), (x, 268), (x + 160, 300), (x + 176, 352), (x + 60, 340), (x, 350), (x - 60, 340), (x - 176, 352)],
        chance.choice(("#7c2f0c", "#1b5440", "#1f4a66", "#b9532c")),
    )
    sheet.line([(x - 148, 322), (x, 334), (x + 148, 322)], 6, "#f6efe0")
    sheet.smooth([(x - 86, 450), (x + 86, 450), (x + 86, 570), (x - 86, 570)], "#fbf3df")
    _hive(sheet, x, 510, 17, ("#e8b04a", "#d99a2b"), 2)
    _hive(sheet, x + 370, 560, 40, (light(gold, 0.15), gold, dark(gold, 0.12)), 2)
    for _ in range(chance.randint(1, 3)):
        _bee(sheet, chance.uniform(600, 880), chance.uniform(180, 400))


def _hive(sheet: Sheet, x: float, y: float, size: float, colours: tuple[Colour, ...], rings: int) -> None:
    for q in range(-rings, rings + 1):
        for r in range(max(-rings, -q - rings), min(rings, -q + rings) + 1):
            cx, cy = x + size * 3**0.5 * (q + r / 2), y + size * 1.5 * r
            for scale, colour in ((1.02, "#8a5a1c"), (0.84, sheet.chance.choice(colours))):
                corners = [(cx + size * scale * sin(n * pi / 3), cy + size * scale * cos(n * pi / 3)) for n in range(6)]
                sheet.shape(corners, colour)


def _bee(sheet: Sheet, x: float, y: float) -> None:
    for up in (-0.6, -1.1):
        sheet.oval(x + 4, y - 22, 24, 11, "#f4f7f5", up)
    sheet.oval(x, y, 31, 20, "#e8b04a")
    for step in (-12, 4, 18):
        sheet.oval(x + step, y, 5, 17, "#3b2a1a")
    sheet.oval(x - 27, y, 12, 12, "#3b2a1a")


def _banana(sheet: Sheet) -> None:
    """A hand of bananas on leaves."""
    chance = sheet.chance
    ripe = chance.choice(("#efc53c", "#e9d04f", "#dcc944", "#c9cf5c"))
    for turn in (-0.1, -0.4, pi + 0.15, pi + 0.45):
        sheet.leaf(480, 630, chance.uniform(330, 390), turn, chance.choice(("#3f7d4e", "#4f8f58", "#2f6b42")))
    shadow(sheet, 500, 650, 250)
    crown, count = (300 + chance.uniform(-20, 20), 330 + chance.uniform(-20, 10)), 4
    for n in range(count):
        tip = 770 - n * 96, 400 + n * 42 + chance.uniform(-8, 8)
        along, sag = (tip[0] - crown[0], tip[1] - crown[1]), 215 - n * 22
        tone = mix(ripe, "#b98f1c", 0.1 * (n % 2))

        def at(share: float, depth: float, along: Point = along, sag: float = sag) -> Point:
            return crown[0] + along[0] * share, crown[1] + along[1] * share + depth * sag * sin(pi * share)

        under = [at(share, 1.0) for share in (0.12, 0.3, 0.5, 0.7, 0.88)]
        over = [at(share, 0.52) for share in (0.9, 0.7, 0.5, 0.3, 0.14)]
        sheet.smooth([crown, *under, tip, *over], dark(tone, 0.16))
        sheet.smooth([crown, *[at(share, 0.86) for share in (0.2, 0.4, 0.6, 0.85)], *over], tone)
        sheet.line([at(share, 0.66) for share in (0.3, 0.5, 0.72)], 9, light(tone, 0.3))
        sheet.oval(tip[0] + 4, tip[1] - 2, 14, 11, "#5a4420")
    sheet.smooth(
        [
            (crown[0] - 46, crown[1] - 70),
            (crown[0] - 8, crown[1] - 78),
            (crown[0] + 44, crown[1] + 8),
            (crown[0] - 4, crown[1] + 34),
        ],
        "#9a8a3a",
    )


def _oil(sheet: Sheet) -> None:
    """A bottle, a bowl, a branch of olives."""
    chance = sheet.chance
    green = chance.choice(("#8d9a2f", "#a7a53a", "#74862b"))
    x = chance.uniform(330, 420)
    shadow(sheet, x, 650, 130)
    bottle = curve(
        [
            (x - 34, 170),
            (x - 36, 300),
            (x - 98, 390),
            (x - 104, 620),
            (x - 80, 652),
            (x + 80, 652),
            (x + 104, 620),
            (x + 98, 390),
            (x + 36, 300),
            (x + 34, 170),
        ]
    )
    sheet.shape(bottle, "#dfe5cf")

    def fill() -> None:
        sheet.shape([(x - 120, 322), (x + 120, 322), (x + 120, 670), (x - 120, 670)], green)
        sheet.shape([(x + 46, 150), (x + 120, 150), (x + 120, 670), (x + 58, 670)], dark(green, 0.2))
        sheet.shape([(x - 82, 300), (x - 58, 300), (x - 58, 670), (x - 82, 670)], light(green, 0.45))

    sheet.inside(bottle, fill)
    sheet.shape([(x - 30, 128), (x + 30, 128), (x + 34, 186), (x - 34, 186)], "#b98a5a")
    sheet.shape([(x - 76, 452), (x + 76, 452), (x + 76, 582), (x - 76, 582)], "#fbf5e6")
    sheet.leaf(x - 40, 545, 90, -0.7, "#5c7d4a")
    sheet.oval(x + 22, 545, 16, 20, "#4b5a2a", 0.4)
    bx = x + 330
    sheet.oval(bx, 640, 150, 18, dark("#6e4a2c", 0.3))
    sheet.shape(around(bx, 560, 150, 88, 0, 0, pi), chance.choice(("#c8643c", "#3d7391", "#e8ddc6")))
    sheet.oval(bx, 560, 150, 36, "#f3ead6")
    sheet.oval(bx, 562, 132, 28, green)
    sheet.oval(bx - 40, 556, 50, 8, light(green, 0.4))
    sheet.line([(x + 120, 250), (x + 260, 300), (x + 420, 260), (x + 520, 310)], 7, "#7a6a44")
    for n in range(9):
        at = (x + 130 + n * 44, 262 + 30 * sin(n))
        sheet.leaf(
            *at, 105, (-0.9 if n % 2 else 0.9) + chance.uniform(-0.2, 0.2), chance.choice(("#7c9268", "#64805a", "#93a57c"))
        )
        if n % 2:
            olive = chance.choice(("#4b5a2a", "#3a2f3f", "#7c8a36"))
            sheet.oval(at[0] + 14, at[1] + 42, 20, 26, olive, 0.3)
            sheet.oval(at[0] + 8, at[1] + 34, 5, 7, light(olive, 0.45))


def _sugar(sheet: Sheet) -> None:
    """Blocks of unrefined sugar and the cane that they come from."""
    chance = sheet.chance
    brown = chance.choice(("#b8793a", "#a5652d", "#c98f4a"))
    for n in range(6):
        x = 690 + n * 34 + chance.uniform(-8, 8)
        sheet.line(
            [(x, 640), (x + chance.uniform(-20, 20), 400), (x + chance.uniform(-40, 50), 130)],
            25,
            chance.choice(("#9aa84f", "#b5b565", "#86984a")),
        )
        for y in range(180, 640, 82):
            sheet.line([(x - 11, y), (x + 11, y + 3)], 5, "#6d7a35")
        sheet.leaf(x, 180, 190, chance.uniform(-2.4, -0.7), "#6d9a52")
    shadow(sheet, 370, 650, 300)
    for x, y in ((250, 590), (470, 590), (360, 480)):
        wide = 104 + chance.uniform(-8, 8)
        sheet.smooth([(x - wide, y - 40), (x + wide, y - 40), (x + wide + 12, y + 56), (x - wide - 12, y + 56)], brown)
        sheet.oval(x, y - 42, wide * 1.02, 26, light(brown, 0.28))
        sheet.line([(x + wide * 0.7, y - 24), (x + wide * 0.82, y + 46)], 20, dark(brown, 0.12))


def _mango(sheet: Sheet) -> None:
    """Whole fruit, and dried slices in a bowl."""
    chance = sheet.chance
    shadow(sheet, 480, 648, 360)
    for x, y, turn in ((250, 520, -0.4), (390, 470, 0.2), (330, 590, 0.1)):
        skin = chance.choice(("#d9862f", "#c8b03c", "#c9563a", "#9fae44"))
        blush, c, s = chance.choice(("#c9563a", "#d98a2b", "#b9532c")), cos(turn), sin(turn)
        body = [(-132, -8), (-84, -74), (10, -80), (104, -34), (140, 26), (96, 62), (0, 74), (-92, 58)]
        for shrink, lift, tone in ((1, 0, dark(skin, 0.16)), (0.86, 10, skin), (0.5, 26, mix(skin, blush, 0.35))):
            sheet.smooth([(x + (u * c - v * s) * shrink - lift, y + (u * s + v * c) * shrink - lift) for u, v in body], tone)
        sheet.oval(x - 58, y - 42, 30, 13, light(skin, 0.4), turn - 0.3)
        sheet.line([(x - 128 * c, y - 128 * s - 10), (x - 150 * c, y - 150 * s - 22)], 9, "#6b5136")
    sheet.leaf(300, 410, 190, -2.2, "#3f7a4c")
    sheet.leaf(330, 400, 170, -0.8, "#4f8a58")
    for _ in range(22):
        sheet.oval(
            690 + chance.gauss(0, 78),
            500 - abs(chance.gauss(0, 22)),
            52,
            20,
            chance.choice(("#e39a35", "#eeb14a", "#d4822a")),
            chance.uniform(-0.7, 0.7),
        )
    sheet.shape(around(690, 520, 190, 130, 0, 0, pi), chance.choice(("#7c2f0c", "#2f5d6b", "#8a5a34", "#e8ddc6")))
    sheet.shape(around(690, 520, 190, 26, 0, 0, pi), "#f3ead6")


_KINDS: dict[str, Callable[[Sheet], None]] = {
    "coffee": _coffee, "cocoa": _cocoa, "honey": _honey, "bananas": _banana, "cotton": cotton, "olive oil": _oil,
    "shawl": shawl, "basket": basket, "sugar": _sugar, "mango": _mango,
}  # fmt: skip
KINDS = tuple(_KINDS)


@cache
def picture(kind: str, seed: int) -> bytes:
    """Return a JPEG for goods of `kind`, one of KINDS; every seed gives another one."""
    sheet = Sheet(f"{kind} {seed}")
    _place(sheet)
    _KINDS[kind](sheet)
    return sheet.jpeg()


def table() -> bytes:
    """Return the WebP of the front page: a long table with what everybody brought (kept as market/web/static/table.webp)."""
    sheet = Sheet("table", 1800)
    _place(sheet, 1800)
    # From the back to the front: what, where its middle stands, how large.
    for kind, middle, share in (
        ("sugar", 1560, 0.8), ("basket", 1330, 0.72), ("olive oil", 200, 0.86), ("shawl", 560, 0.6), ("coffee", 820, 0.78),
        ("honey", 1090, 0.62), ("mango", 1500, 0.6), ("cocoa", 420, 0.66),
    ):  # fmt: skip
        sheet.scale, sheet.across, sheet.down = share, middle - WIDTH / 2 * share, 668 - 650 * share
        _KINDS[kind](sheet)
    return sheet.webp((1200, 480), top=0)
