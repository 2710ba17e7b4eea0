"""From a kind of mail and its facts to subject, text and HTML. Words come from `texts/`, the frame is one MJML template.

Every value is escaped for where it stands; a subject never holds a line break, so nobody can add a header.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import mjml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from market.kernel.formats import day_text, instant_text, money_text
from market.kernel.money import Money

_HERE = Path(__file__).parent
_words = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701 - plain text; the frame escapes it
_frames = Environment(loader=FileSystemLoader(_HERE / "templates"), undefined=StrictUndefined, autoescape=True)


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail ready to send."""

    subject: str
    text: str
    html: str


@cache
def texts(language: str) -> dict[str, Any]:
    """Return every text of a language: per kind `subject`, `lines`, and optionally `action`."""
    return tomllib.loads((_HERE / "texts" / f"{language}.toml").read_text())


def _shown(value: Any, language: str) -> Any:
    """Return a stored fact as a person reads it: money, days and instants carry their type as their only key."""
    match value:
        case {"money": [int(minor), str(currency)]}:
            return money_text(Money(minor, currency), language)
        case {"day": str(day)}:
            return day_text(date.fromisoformat(day), language)
        case {"instant": str(instant)}:
            return instant_text(datetime.fromisoformat(instant), language)
        case list():
            return [_shown(item, language) for item in value]
    return value


def write(kind: str, language: str, facts: Mapping[str, Any], *, link: str = "") -> Letter:
    """Write a mail. `facts` fill the words; `rows` among them become a table of (what, amount)."""
    words = texts(language)
    own, frame = words[kind], words["frame"]
    values = {"rows": []} | {name: _shown(value, language) for name, value in facts.items()}
    subject = " ".join(_words.from_string(own["subject"]).render(values).split())
    lines = [line for text in own["lines"] if (line := _words.from_string(text).render(values).strip())]
    rows = [tuple(row) for row in values["rows"]]
    link = link if "action" in own else ""
    parts = {
        "language": language,
        "subject": subject,
        "greeting": _words.from_string(frame["greeting"]).render(values),
        "lines": lines,
        "rows": rows,
        "action": own["action"] if link else "",
        "link": link,
        "closing": frame["closing"],
    }
    html = mjml.mjml2html(_frames.get_template("letter.mjml").render(parts))
    table = "\n".join(f"  {what}: {amount}" for what, amount in rows)
    action = f"{own['action']}: {link}" if link else ""
    text = "\n\n".join(part for part in (parts["greeting"], *lines, table, action, frame["closing"]) if part)
    return Letter(subject, text + "\n", html)
