"""People's own texts: which version a reader sees first, and the form in which their authors give them in more languages."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from market.http import forms
from market.http.auth import current_actor
from market.http.clock import now
from market.http.db import unit_of_work
from market.http.i18n import language
from market.kernel.errors import DomainError
from market.kernel.languages import NAMES
from market.producers import queries
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


def titles(session: Session, listings: Mapping[UUID, str]) -> dict[UUID, list[Version]]:
    """Return the titles of listings (by id, as their producers wrote them), the version for the reader first."""
    texts = queries.own_texts(session, "listing", listings)
    return {listing_id: versions(title, texts[listing_id], "title") for listing_id, title in listings.items()}


def show(texts: OwnTexts, errors: Mapping[str, str], *, back: str, body: str | None = None, title: str | None = None) -> str:
    """Return the page on which authors give their text in more languages; None: there is no text, or no title."""
    return render_template(
        "producer/texts.html",
        back=back,
        title=title or "",
        body=body or "",
        has_title=title is not None,
        has_body=body is not None,
        form=_drawn(texts),
        errors=errors if body is not None else {name.replace("body_", "title_"): words for name, words in errors.items()},
    )


def keep(
    command: Callable[..., None], whose: Mapping[str, UUID], *, again: Callable[[Mapping[str, str]], str], then: str
) -> ResponseReturnValue:
    """Carry out one of the commands `set_..._texts` for the subject named in `whose` with what was typed."""
    try:
        with unit_of_work() as session:
            command(
                session,
                actor=current_actor(),
                language=request.form.get("language", ""),
                translations=_typed(request.form),
                now=now(),
                **whose,
            )
    except DomainError as refusal:
        return again(forms.field_errors(refusal)), 422
    flash(_("Saved. Readers of these languages see your own words first, and the original beside them."), "good")
    return redirect(then, 303)


def _typed(form: Mapping[str, str]) -> dict[str, Text]:
    return {code: Text(forms.text(form, f"title_{code}"), forms.text(form, f"body_{code}")) for code in NAMES}


def _drawn(texts: OwnTexts) -> Mapping[str, str]:
    """Return what was typed, else what is stored."""
    if request.method == "POST":
        return request.form
    stored = {"language": texts.language}
    for code, text in texts.translations.items():
        stored |= {f"title_{code}": text.title, f"body_{code}": text.body}
    return stored
