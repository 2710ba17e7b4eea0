"""A payee's statement as one text message: at most 160 letters of the GSM 7-bit alphabet, 70 where a language needs others.

Letters outside the alphabet are written by the nearest inside it (á as a), signs that take two places (the euro sign,
brackets) are avoided, so that a letter is a place (3GPP TS 23.038, solidarity.md 5). What does not fit is left out in the
order of what a payee misses least: the co-op's name, then what was kept back.
"""

import unicodedata
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from market.kernel.languages import best, tell
from market.kernel.money import Money
from market.kernel.words import Number, Said, say

GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_MOST, OTHER_MOST = 160, 70
_SIGNS = {
    "€": "EUR", "[": "(", "]": ")", "{": "(", "}": ")", "\\": "/", "|": "/", "^": "'", "~": "-", "`": "'",
    "–": "-", "—": "-", "−": "-", "‘": "'", "’": "'", "“": '"', "”": '"', "«": '"', "»": '"', "…": ".",
    "œ": "oe", "Œ": "OE", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ı": "i",
}  # fmt: skip
_UNSEEN = dict.fromkeys(map(ord, "\u2066\u2067\u2068\u2069\u200e\u200f"))
_NAME_LEAST = 5


@dataclass(frozen=True, slots=True)
class Told:
    """What the text says of one payout."""

    coop: str
    gross: Money
    paid: Money
    paid_on: date
    reference: str


def statement_text(told: Told, language: str) -> str:
    """Return the text in the payee's language; it always fits one message."""
    language = best(language)
    room = 0
    for words in _forms(told, language):
        text = gsm(tell(words, language))
        room = most(text) - len(text)
        if room >= 0:
            break
    else:
        raise AssertionError(f"the statement of {told.reference} is {-room} letters too long for one message")
    name = gsm(told.coop)
    if (name and not is_gsm(name) and is_gsm(text)) or room < _NAME_LEAST + 2:
        return text
    return f"{name[: room - 2].rstrip()}: {text}"


def gsm(text: str) -> str:
    """Return `text` with letters of the GSM alphabet in place of those near to them; others stay."""
    return "".join(_one(letter) for letter in unicodedata.normalize("NFC", text.translate(_UNSEEN)))


def is_gsm(text: str) -> bool:
    """Whether a text goes as 7-bit letters."""
    return GSM.issuperset(text)


def most(text: str) -> int:
    """Return how many letters one message with such letters holds."""
    return GSM_MOST if is_gsm(text) else OTHER_MOST


def _one(letter: str) -> str:
    if letter in GSM:
        return letter
    if letter in _SIGNS:
        return _SIGNS[letter]
    if letter.isspace():
        return " "
    base = "".join(part for part in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(part))
    return base if is_gsm(base) else letter


def _forms(told: Told, language: str) -> tuple[Said, ...]:
    """Return the text from the fullest to the shortest."""
    paid = _amount(told.paid, language)
    facts = {"paid": paid, "day": told.paid_on.isoformat(), "reference": told.reference}
    short = say("Paid %(paid)s %(day)s, %(reference)s", **facts)
    plain = say("Paid %(paid)s on %(day)s, reference %(reference)s. Wrong? Tell your co-op.", **facts)
    if told.gross == told.paid:
        return plain, short
    less = {"gross": _amount(told.gross, language), "less": _amount(told.gross - told.paid, language)}
    kept = say(
        "Paid %(paid)s on %(day)s: earned %(gross)s, kept back %(less)s. Reference %(reference)s. Wrong? Tell your co-op.",
        **facts,
        **less,
    )
    return kept, plain, short


def _amount(money: Money, language: str) -> str:
    value: Decimal = money.decimal
    return f"{tell(Number(f'{value:,f}'), language)} {money.currency}"
