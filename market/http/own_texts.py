"""People's own texts: which version a reader sees first, and the form in which their authors give them in more languages."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import request
from flask_babel import lazy_gettext as _l

from market.http import forms
from market.http.i18n import language
from market.kernel.languages import NAMES
from market.producers.queries import OwnTexts, Text


@dataclass(frozen=True, slots=True)
class Version:
    """A text in one language; an empty language is unknown."""

    words: str
    language: str
    original: bool

    @property
    def name(self) -> str:
        """What the language calls itself."""
        return NAMES.get(self.language, "")


def versions(original: str, texts: OwnTexts, part: str = "body") -> list[Version]:
    """Return a text as its authors gave it, the version for the reader first, then the original, then the others."""
    given = [Version(words, code, original=False) for code, text in texts.translations.items() if (words := getattr(text, part))]
    own = [Version(original, texts.language, original=True)] if original else []
    here = language()
    return sorted(own + given, key=lambda version: (version.language != here, not version.original))


def typed(form: Mapping[str, str]) -> dict[str, Text]:
    """Return the translations that a form brings, by language."""
    return {code: Text(forms.text(form, f"title_{code}"), forms.text(form, f"body_{code}")) for code in NAMES}


def drawn(texts: OwnTexts) -> Mapping[str, str]:
    """Return what the form holds: what was typed, else what is stored."""
    if request.method == "POST":
        return request.form
    stored = {"language": texts.language}
    for code, text in texts.translations.items():
        stored |= {f"title_{code}": text.title, f"body_{code}": text.body}
    return stored


SAVED = _l("Saved. Readers of these languages see your own words first, and the original beside them.")
