"""Letters that a SEPA file may carry, and our transliteration into them.

The EPC's implementation guidelines allow a-z A-Z 0-9 / - ? : ( ) . , ' + and the space; banks may refuse or silently
change everything else. So we change it ourselves, and staff see the changed name before anyone signs. Accents are
dropped; Greek and Cyrillic follow the EPC's conversion table (EPC217-08). A letter of another script has no agreed
form: then the payee's own Latin spelling is asked for, because guessing a person's name is wrong.
"""

import unicodedata

from market.kernel.words import say
from market.payouts.errors import FileRefused

ALLOWED = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-?:().,'+ ")

# fmt: off
_SIGNS = {
    "!": ".", '"': ".", "#": ".", "$": ".", "%": ".", "&": "+", "*": ".", ";": ",", "<": ".", "=": ".", ">": ".",
    "@": ".", "[": "(", "\\": "/", "]": ")", "^": ".", "_": "-", "`": "'", "{": "(", "|": "/", "}": ")", "~": "-",
    "€": "E", "–": "-", "—": "-", "‘": "'", "’": "'", "“": "'", "”": "'", "´": "'",
}
_LETTERS = {
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ħ": "h", "ŋ": "n",
}
_GREEK = {
    "α": "a", "β": "v", "γ": "g", "δ": "d", "ε": "e", "ζ": "z", "η": "i", "θ": "th", "ι": "i", "κ": "k", "λ": "l",
    "μ": "m", "ν": "n", "ξ": "x", "ο": "o", "π": "p", "ρ": "r", "σ": "s", "ς": "s", "τ": "t", "υ": "y", "φ": "f",
    "χ": "ch", "ψ": "ps", "ω": "o",
}
_CYRILLIC = {
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ж": "zh", "з": "z", "и": "i", "й": "y", "к": "k",
    "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f", "х": "h",
    "ц": "ts", "ч": "ch", "ш": "sh", "щ": "sht", "ъ": "a", "ы": "y", "ь": "y", "э": "e", "ю": "yu", "я": "ya",
    "є": "ie", "і": "i", "ї": "i", "ґ": "g", "ђ": "dj", "ј": "j", "љ": "lj", "њ": "nj", "ћ": "c", "џ": "dz",
    "ѓ": "g", "ѕ": "dz", "ќ": "k", "ў": "u", "ё": "e",
}
# fmt: on
_LOWER = _GREEK | _CYRILLIC | _LETTERS


def to_latin(text: str) -> str:
    """Return `text` in the SEPA character set, single-spaced. Raises FileRefused naming a letter that has no Latin form."""
    if ALLOWED.issuperset(text):
        return " ".join(text.split())
    latin = "".join(_one(letter) for letter in unicodedata.normalize("NFC", text))
    return " ".join(latin.split())


def _one(letter: str) -> str:
    if letter in ALLOWED:
        return letter
    if letter in _SIGNS:
        return _SIGNS[letter]
    if letter in _LOWER:
        return _LOWER[letter]
    if letter.lower() in _LOWER:
        return _LOWER[letter.lower()].capitalize()
    if letter.isspace():
        return " "
    base = "".join(part for part in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(part))
    if base and base != letter:
        return "".join(_one(part) for part in base)
    raise FileRefused(
        say(
            "The letter '%(letter)s' cannot stand in a bank file. Enter the name as it is written in Latin letters.",
            letter=letter,
        ),
        letter=letter,
    )
