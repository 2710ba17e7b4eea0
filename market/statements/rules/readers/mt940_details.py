"""What the details of an MT940 entry (:86:) say: `?20` fields of German banks, `/EREF/` words of others, or free text."""

from __future__ import annotations

import re
from dataclasses import dataclass

_GERMAN = re.compile(r"([0-9]{3})([?<>@+])(?=[0-9]{2})")
_SEPA = re.compile(r"(EREF|KREF|MREF|CRED|DEBT|COAM|OAMT|SVWZ|ABWA|ABWE|RREF|PURP|ANAM|IBAN|BIC)\+")
_SLASHED = re.compile(
    r"/(TRTP|TRCD|IBAN|BIC|NAME|REMI|EREF|MARF|CSID|RTRN|PREF|ISDT|BENM|ORDP|CNTP|USTD|STRD|CUST|ID|ADDR|PURP|ULTC|ULTD|"
    r"ULTB|SVCL|OCMT|CHGS|BNKREF|RREF)/"
)
_REASON = re.compile(r"\b(AC0[1346]|AG0[12]|AM0[459]|BE0[14567]|MD0[1267]|MS0[23]|RC01|RR0[1-4]|SL0[1-9]|NOAS|CUST|FOCR)\b")
_RETURNS = frozenset({"059", "108", "109", "159", "188"})
"""Business transaction codes of German banks for returned transfers and direct debits."""

_FULL = 27
"""Length of a subfield; a shorter one ended with a word."""


@dataclass(frozen=True, slots=True)
class Details:
    """What was found; empty where nothing was said."""

    text: str = ""
    name: str = ""
    account: str = ""
    code: str = ""
    refs: tuple[str, ...] = ()
    returned: bool = False
    return_reason: str = ""


def details_of(text: str) -> Details:
    """Return what the details say."""
    joined = text.replace("\n", "")
    if found := _GERMAN.match(joined):
        return _german(found[1], joined[3:], found[2])
    words = _words(_SLASHED, joined)
    if len(words) > 1:
        return _slashed(words)
    return Details(text=text.strip(), return_reason=_reason(text))


def _german(code: str, text: str, separator: str) -> Details:
    fields: dict[str, str] = {}
    for each in re.split(re.escape(separator) + r"(?=[0-9]{2})", text)[1:]:
        fields.setdefault(each[:2], each[2:])
    purpose = ""
    for number in (*range(20, 30), *range(60, 64)):
        piece = fields.get(f"{number}", "")
        purpose += piece if len(piece) >= _FULL else piece + " "
    words = _words(_SEPA, purpose)
    bank, account = fields.get("30", "").strip(), fields.get("31", "").strip()
    iban = words.get("IBAN", "").strip()
    number = iban or (account if account[:2].isalpha() else f"{bank}/{account}".strip("/"))
    refs = [words.get(name, "").strip() for name in ("EREF", "KREF", "RREF")]
    returned = code in _RETURNS
    return Details(
        text="\n".join(filter(None, [words.get("SVWZ", "").strip(), words[""].strip(), fields.get("00", "").strip()])),
        name=" ".join(filter(None, [fields.get("32", "").strip(), fields.get("33", "").strip()])),
        account="".join(number.split()).upper(),
        code=code,
        refs=tuple(each for each in refs if each and each.upper() not in ("NOTPROVIDED", "NONREF")),
        returned=returned,
        return_reason=_reason(purpose) if returned else "",
    )


def _slashed(words: dict[str, str]) -> Details:
    refs = [words.get(name, "").strip() for name in ("EREF", "PREF", "RREF", "STRD")]
    account = words.get("IBAN", "") or words.get("CNTP", "").partition("/")[0]
    texts = [words.get("USTD") or words.get("REMI", ""), words.get("RTRN", ""), words[""]]
    return Details(
        text="\n".join(each.strip() for each in texts if each.strip()),
        name=words.get("NAME", "").strip(),
        account="".join(account.split()).upper(),
        refs=tuple(each for each in refs if each and each.upper() not in ("NOTPROVIDED", "NONREF")),
        returned="RTRN" in words,
        return_reason=words.get("RTRN", "").strip()[:4],
    )


def _words(pattern: re.Pattern[str], text: str) -> dict[str, str]:
    """Return the text after each word of `pattern`, and under an empty name what stands before the first."""
    pieces = pattern.split(text)
    words = {"": pieces[0]}
    for name, value in zip(pieces[1::2], pieces[2::2], strict=True):
        words.setdefault(name, value.rstrip("/ ") if value else "")
    return words


def _reason(text: str) -> str:
    found = _REASON.search(text)
    return found[1] if found else ""
