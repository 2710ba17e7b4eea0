"""People's own texts in further languages."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.producers.models import OwnText


@dataclass(frozen=True, slots=True)
class Text:
    """A translation: a title where the subject has one, and the text."""

    title: str = ""
    body: str = ""


@dataclass(frozen=True, slots=True)
class OwnTexts:
    """In which language an original is (empty: nobody said), and its translations by language."""

    language: str = ""
    translations: dict[str, Text] = field(default_factory=dict)


def own_texts(session: Session, kind: str | tuple[str, ...], subject_ids: Iterable[UUID]) -> dict[UUID, OwnTexts]:
    """Return what is known of the languages of subjects (`coop`, `producer`, `listing`, `lot`), in one statement, for all."""
    wanted = list(subject_ids)
    languages: dict[UUID, str] = {}
    given: dict[UUID, dict[str, Text]] = {}
    kinds = (kind,) if isinstance(kind, str) else kind
    these = (OwnText.subject_kind.in_(kinds), OwnText.subject_id.in_(wanted))
    statement = select(OwnText).where(*these).order_by(OwnText.language)
    for row in session.scalars(statement):
        if row.original:
            languages[row.subject_id] = row.language
        else:
            given.setdefault(row.subject_id, {})[row.language] = Text(row.title, row.body)
    return {subject: OwnTexts(languages.get(subject, ""), given.get(subject, {})) for subject in wanted}
