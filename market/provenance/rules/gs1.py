"""GS1 keys under one name: EPC URNs and Digital Links of any domain as `https://id.gs1.org/...` (CBV 2.0 8.9).

A table instead of one pattern per key: which application identifier, how many digits with the company prefix, whether the
first digit of the reference moves to the front, whether a check digit follows, and what becomes of the serial part.
"""

import re
from dataclasses import dataclass

GS1 = "https://id.gs1.org/"


@dataclass(frozen=True, slots=True)
class _Key:
    ai: str
    digits: int = 0  # 0: the reference is not padded to a length and carries no check digit
    first_digit_leads: bool = False
    lead: str = ""
    serial: str | None = None  # application identifier of the serial part; None: it is appended as it is


_KEYS = {
    "sgtin": _Key("01", 13, True, serial="21"),
    "lgtin": _Key("01", 13, True, serial="10"),
    "upui": _Key("01", 13, True, serial="235"),
    "itip": _Key("8006", 13, True, serial="21"),
    "sscc": _Key("00", 17, True),
    "sgln": _Key("414", 12, serial="254"),
    "pgln": _Key("417", 12),
    "grai": _Key("8003", 12, lead="0"),
    "gdti": _Key("253", 12),
    "sgcn": _Key("255", 12),
    "gsrn": _Key("8018", 17),
    "gsrnp": _Key("8017", 17),
    "gsin": _Key("402", 16),
    "giai": _Key("8004"),
    "ginc": _Key("401"),
    "cpi": _Key("8010", serial="8011"),
}
_URN = re.compile(r"urn:epc:(?:id|class|idpat):(?P<scheme>[a-z]+):(?P<prefix>[0-9]{6,12})\.(?P<rest>.+)")
_SHORT = {
    "gtin": "01", "itip": "8006", "cpid": "8010", "gln": "414", "party": "417", "gsrnp": "8017", "gsrn": "8018", "gcn": "255",
    "sscc": "00", "gdti": "253", "ginc": "401", "gsin": "402", "grai": "8003", "giai": "8004", "cpv": "22", "lot": "10",
    "ser": "21",
}  # fmt: skip
_ENCODED = str.maketrans({letter: f"%{ord(letter):02X}" for letter in "!()*+,:"})
_LINK = re.compile(
    r"https?://[^/?#]+(?:/[^/?#]+)*?/(?P<ai>01|8006|8010|414|417|8017|8018|255|00|253|401|402|8003|8004)/(?P<key>[0-9]{4}[^/?#]*)"
    r"(?P<more>(?:/[^/?#]+/[^/?#]+)*)/?(?:[?#].*)?"
)


def check_digit(digits: str) -> str:
    """Return the check digit of a GS1 key (General Specifications 7.9.1)."""
    total = sum(int(digit) * (1 if place % 2 else 3) for place, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def canonical_key(uri: str) -> str:
    """Return the canonical Digital Link of a GS1 key without query and product variant; any other URI unchanged."""
    if match := _URN.fullmatch(uri):
        return _from_urn(match["scheme"], match["prefix"], match["rest"]) or uri
    for short, ai in _SHORT.items():
        uri = uri.replace(f"/{short}/", f"/{ai}/") if uri.startswith("http") else uri
    match = _LINK.fullmatch(uri)
    if match is None:
        return uri
    more = match["more"].split("/")[1:]
    kept = [f"/{ai}/{value}" for ai, value in zip(more[::2], more[1::2], strict=False) if ai != "22"]
    return f"{GS1}{match['ai']}/{match['key']}{_finest(kept)}"


def _finest(parts: list[str]) -> str:
    """Keep the lowest level of identification: a serial number makes the lot superfluous."""
    serials = [part for part in parts if part.startswith("/21/")]
    return "".join(serials or parts)


def _from_urn(scheme: str, prefix: str, rest: str) -> str | None:
    key = _KEYS.get(scheme)
    if key is None:
        return None
    if key.digits == 0:
        reference, _, serial = rest.rpartition(".") if key.serial else (rest, "", "")
        number = prefix + reference.translate(_ENCODED)
    else:
        width = key.digits - len(prefix)
        reference, serial = rest[:width], rest[width:].removeprefix(".")
        digits = reference[:1] + prefix + reference[1:] if key.first_digit_leads else prefix + reference
        if not (digits.isascii() and digits.isdigit() and len(digits) == key.digits):
            return None
        number = key.lead + digits
        number += check_digit(number)
    if scheme == "itip":
        pieces = serial.split(".", 2)
        if len(pieces) != 3:
            return None
        number, serial = number + pieces[0] + pieces[1], pieces[2]
    if serial in ("", "*") or (scheme == "sgln" and serial == "0"):
        return f"{GS1}{key.ai}/{number}"
    ending = f"/{key.serial}/" if key.serial else ""
    return f"{GS1}{key.ai}/{number}{ending}{serial.translate(_ENCODED)}"
