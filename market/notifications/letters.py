"""From a kind of mail and its facts to subject, text and HTML. `letters.toml` has the words in English, the catalogues in
other languages; the frame is one MJML template.

Every value is escaped for where it stands; a subject never holds a line break, so nobody can add a header.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import mjml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from market.kernel.formats import day_text, instant_text, money_text
from market.kernel.languages import catalogue, locale, number, tell, unit
from market.kernel.money import Money

_HERE = Path(__file__).parent
_frames = Environment(loader=FileSystemLoader(_HERE / "templates"), undefined=StrictUndefined, autoescape=True)


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail ready to send."""

    subject: str
    text: str
    html: str


@cache
def texts() -> dict[str, dict[str, Any]]:
    """Return every text in English: per kind `subject`, `lines`, and optionally `action`."""
    return tomllib.loads((_HERE / "letters.toml").read_text())


def _shown(value: Any, language: str) -> Any:
    """Return a stored fact as a person reads it: money, days and instants carry their type as their only key."""
    match value:
        case {"money": [int(minor), str(currency)]}:
            return money_text(Money(minor, currency), language)
        case {"day": str(day)}:
            return day_text(date.fromisoformat(day), language)
        case {"instant": str(instant)}:
            return instant_text(datetime.fromisoformat(instant), language)
        case {"said": str(text)}:
            return tell(text, language)
        case {"quantity": [str(quantity), str(code), *goods]}:
            return " ".join([number(Decimal(quantity), language), unit(code, language, Decimal(quantity)), *goods])
        case {"part": [str(title), str(label)]}:
            return f"{title}: {tell(label, language)}"
        case list():
            return [_shown(item, language) for item in value]
    return value


def write(kind: str, language: str, facts: Mapping[str, Any], *, link: str = "") -> Letter:
    """Write a mail. `facts` fill the words; `rows` among them become a table of (what, amount)."""
    own, frame = texts()[kind], texts()["frame"]
    words = catalogue(language).gettext
    values = {"rows": []} | {name: _shown(value, language) for name, value in facts.items()}

    def filled(text: str) -> str:
        return words(text) % values

    link = link if "action" in own else ""
    parts: dict[str, Any] = {
        "language": language,
        "direction": locale(language).text_direction,
        "subject": " ".join(filled(own["subject"]).split()),
        "greeting": filled(frame["greeting"] if values.get("name") else frame["nameless"]),
        "lines": [filled(text) for line in own["lines"] if (text := _wanted(line, values))],
        "rows": [tuple(row) for row in values["rows"]],
        "action": words(own["action"]) if link else "",
        "link": link,
        "closing": words(frame["closing"]),
    }
    html = mjml.mjml2html(_frames.get_template("letter.mjml").render(parts))
    table = "\n".join(f"  {what}: {amount}" for what, amount in parts["rows"])
    action = f"{parts['action']}: {link}" if link else ""
    text = "\n\n".join(part for part in (parts["greeting"], *parts["lines"], table, action, parts["closing"]) if part)
    return Letter(parts["subject"], text + "\n", html)


def _wanted(line: str | dict[str, str], values: Mapping[str, Any]) -> str:
    """Return the text of a line, nothing when it depends on a fact that is not there (`when`) or is (`unless`)."""
    if isinstance(line, str):
        return line
    holds = values.get(line["when"]) if "when" in line else not values.get(line["unless"])
    return line["text"] if holds else ""
