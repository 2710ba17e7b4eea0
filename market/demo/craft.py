"""Pictures of what hands make, and of the cotton that they make it of; the rest is in `pictures`."""

from math import cos, pi, sin

from market.demo.canvas import Colour, Sheet, curve, dark, mix, shadow


def cotton(sheet: Sheet) -> None:
    """Stems with open bolls."""
    chance = sheet.chance
    for n in range(5):
        x = 150 + n * 165 + chance.uniform(-30, 30)
        top = chance.uniform(230, 330)
        sheet.line([(x + chance.uniform(-50, 50), 720), (x + 14, 520), (x, top)], 9, "#6f5237")
        for leaf in range(2):
            sheet.leaf(x + 6, 470 + leaf * 90, 110, chance.choice((0.3, pi - 0.3, -0.4, pi + 0.4)), "#5c7d4a")
        for bx, by, size in ((x, top, 62), (x + chance.choice((-1, 1)) * 70, top + chance.uniform(130, 190), 50)):
            sheet.line([(x + 8, by + 90), (bx, by + 20)], 7, "#6f5237")
            for turn in (0.5, 1.2, pi - 1.2, pi - 0.5):
                sheet.leaf(bx, by + size * 0.5, size * 1.2, turn, "#8a6a45")
            for angle in range(5):
                a = angle * 2 * pi / 5 + chance.uniform(-0.2, 0.2)
                sheet.oval(bx + cos(a) * size * 0.5, by + sin(a) * size * 0.42, size * 0.62, size * 0.56, "#efe9dc")
            sheet.oval(bx - 6, by - 10, size * 0.7, size * 0.58, "#fffdf6")


def shawl(sheet: Sheet) -> None:
    """Folded cloth in a pile, each with its stripes, the uppermost with its fringe."""
    chance = sheet.chance
    families = (
        ("#d8c9ae", "#a98f6e", "#6f5a45", "#f1e9da"), ("#b9532c", "#e0a458", "#7c2f0c", "#f3e2c7"),
        ("#2f5d6b", "#8fb3b0", "#d9c9a3", "#1f3d4a"), ("#7c5a86", "#c9a3b8", "#e9dcc8", "#4a3557"), ("#3f6b4a", "#a9bd7f", "#efe6c8", "#274531"),
    )  # fmt: skip
    shadow(sheet, 480, 652, 340)
    for n in range(4):
        y, wide = 590 - n * 86, 310 - n * 14 + chance.uniform(-16, 16)
        x, colours = 480 + chance.uniform(-18, 18), chance.choice(families)
        fold = curve(
            [
                (x - wide, y - 34),
                (x - wide - 26, y + 8),
                (x - wide, y + 56),
                (x, y + 60),
                (x + wide, y + 56),
                (x + wide + 26, y + 8),
                (x + wide, y - 34),
                (x, y - 42),
            ]
        )
        sheet.shape(fold, colours[0])
        stripes = [(chance.uniform(-0.95, 0.95), chance.choice((8, 14, 26)), chance.choice(colours[1:])) for _ in range(13)]

        def weave(
            x: float = x,
            y: float = y,
            wide: float = wide,
            stripes: list[tuple[float, int, Colour]] = stripes,
            ground: Colour = colours[0],
        ) -> None:
            for at, width, colour in stripes:
                sheet.line([(x + at * wide, y - 60), (x + at * wide * 1.02, y + 70)], width, colour)
            sheet.line([(x - wide - 30, y + 9), (x, y + 14), (x + wide + 30, y + 9)], 5, dark(ground, 0.45))
            sheet.line([(x - wide - 30, y + 34), (x, y + 40), (x + wide + 30, y + 34)], 3, dark(ground, 0.3))

        sheet.inside(fold, weave)
        if n == 3:
            for step in range(-9, 10):
                fx = x + step * wide / 10
                sheet.line([(fx, y + 52), (fx + chance.uniform(-5, 5), y + 92)], 5, chance.choice(colours))


def basket(sheet: Sheet) -> None:
    """A braided basket with bread in it."""
    chance = sheet.chance
    palm = chance.choice(("#d8b26a", "#c79a55", "#e0c58c"))
    band = chance.choice(("#7c2f0c", "#1b5440", "#7c5a86", "#1f4a66"))
    shadow(sheet, 480, 650, 300)
    for n in range(3):
        x = 360 + n * 120 + chance.uniform(-12, 12)
        crust = chance.choice(("#c98a4b", "#b8743a", "#d69c5a"))
        sheet.oval(x, 412 - (n == 1) * 26, 112, 70, crust, chance.uniform(-0.3, 0.3))
        for cut in (-40, 0, 40):
            sheet.line([(x + cut - 14, 366 - (n == 1) * 26), (x + cut + 10, 396 - (n == 1) * 26)], 9, "#f0d9b0")
    outline = curve([(190, 420), (230, 560), (290, 648), (480, 660), (670, 648), (730, 560), (770, 420), (480, 452)])
    sheet.shape(outline, dark(palm, 0.4))

    def braid() -> None:
        for row in range(9):
            for column in range(-1, 22):
                x, y = 180 + column * 30 + (row % 2) * 15, 430 + row * 27
                colour = band if row in (3, 4) and (column + row) % 3 else mix(palm, "#8a6a35", chance.random() * 0.2)
                sheet.oval(x, y + sin(column / 21 * pi) * 18, 16, 11, colour, 0.35 if row % 2 else -0.35)

    sheet.inside(outline, braid)
    for n in range(24):
        x = 190 + n * 25.2
        sheet.oval(x, 424 + sin(n / 23 * pi) * 30, 19, 13, palm if n % 2 else dark(palm, 0.15), 0.5)
