"""Marks that stand where nobody has put a photo: a woven one for each producer, a landscape for each co-op.

They are drawn from the name in the address, so the same one is the same everywhere; nobody is given a face that is not theirs.
"""

from functools import lru_cache
from hashlib import blake2b

from markupsafe import Markup

_YARNS = (
    ("#f3e6cf", "#7c2f0c", "#d99a2b"), ("#e6efe2", "#1b5440", "#a9502a"), ("#f6e3d6", "#a9502a", "#1b5440"),
    ("#e3edf1", "#1f4a66", "#d99a2b"), ("#f1e6f0", "#6a4673", "#c98a2b"), ("#f5ecd0", "#5f4100", "#8c1822"),
)  # fmt: skip
_LIGHTS = (
    ("#fbeed6", "#f2a541", "#c9cfa4", "#93ad7c", "#4f7d5a"), ("#e3f0ea", "#f6c85a", "#a9c9b0", "#78a886", "#3f6f57"),
    ("#fae3cf", "#e4703f", "#d0b39a", "#a58f6e", "#6f6a42"), ("#eaeef4", "#f2d58a", "#b3c0c4", "#8aa39b", "#4f7264"),
)  # fmt: skip


def _numbers(seed: str) -> bytes:
    return blake2b(seed.encode(), digest_size=16).digest()


@lru_cache(maxsize=1024)
def woven(seed: str) -> Markup:
    """Return a square cloth with a motif that is the same up and down, as weavers count it."""
    numbers = _numbers(seed)
    ground, first, second = _YARNS[numbers[0] % len(_YARNS)]
    threads: dict[str, list[str]] = {first: [], second: []}
    for row in range(5):
        for column in range(row, 5):
            kind = numbers[1 + row] >> column & 1 | (numbers[6 + column] >> row & 1) << 1
            if kind in (0, 3) and row != column:
                continue
            places = {(a, b) for x, y in ((column, row), (row, column)) for a in (x, 8 - x) for b in (y, 8 - y)}
            threads[first if kind != 2 else second] += [f"M{x} {y}h1v1h-1z" for x, y in sorted(places)]
    paths = Markup("").join(
        Markup('<path fill="{}" d="{}"/>').format(colour, "".join(found)) for colour, found in threads.items() if found
    )
    return Markup(
        '<svg viewBox="-.5 -.5 10 10" aria-hidden="true" focusable="false"><path fill="{}" d="M-1-1h11v11h-11z"/>{}</svg>'
    ).format(ground, paths)


@lru_cache(maxsize=1024)
def landscape(seed: str) -> Markup:
    """Return hills under a sun, with rows of what grows there."""
    numbers = _numbers(seed)
    sky, sun, *hills = _LIGHTS[numbers[0] % len(_LIGHTS)]
    shapes = [
        Markup('<path fill="{}" d="M0 0h320v120H0z"/><circle cx="{}" cy="{}" r="{}" fill="{}"/>').format(
            sky, 40 + numbers[1] * 240 // 255, 24 + numbers[2] % 22, 12 + numbers[3] % 8, sun
        )
    ]
    for n, hill in enumerate(hills):
        base, swell = 56 + n * 20, 10 + numbers[4 + n] % 22
        swell = swell if numbers[7 + n] & 1 else -swell
        turn = 80 + numbers[10 + n] % 160
        ridge = f"Q{turn // 2} {base - swell} {turn} {base}T320 {base - swell // 3}"
        shapes.append(Markup('<path fill="{}" d="M0 {}{}V120H0z"/>').format(hill, base, ridge))
        if n:
            bent = ((step, ridge.replace(f" {base - swell} ", f" {base - swell + step} ", 1)) for step in (8, 15))
            rows = "".join(f"M0 {base + step}{row}" for step, row in bent)
            shapes.append(Markup('<path fill="none" stroke="#fff" stroke-opacity=".22" stroke-width="2" d="{}"/>').format(rows))
    return Markup(
        '<svg class="land" viewBox="0 0 320 120" preserveAspectRatio="xMidYMid slice" aria-hidden="true">{}</svg>'
    ).format(Markup("").join(shapes))
