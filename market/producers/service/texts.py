"""What a co-op or producer says in several languages: always written by people, never by a machine."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.orm import Session

from market.kernel import audit
from market.kernel.actor import Actor
from market.kernel.languages import LANGUAGES
from market.kernel.words import say
from market.producers.errors import BadText, CoopMissing, NotYoursToChange
from market.producers.models import OwnText
from market.producers.queries import Text
from market.producers.service.members import of_own_coop

TITLE, BODY = 120, 5000


def set_coop_texts(
    session: Session, *, actor: Actor, coop_id: UUID, language: str, translations: Mapping[str, Text], now: datetime
) -> None:
    """Say in which language a co-op's story is and give it in others. Raises CoopMissing, NotYoursToChange, BadText."""
    if "admin" not in actor.roles and coop_id != actor.coop_id:
        raise CoopMissing("There is no such co-op.")
    if not actor.roles & {"admin", "approver"}:
        raise NotYoursToChange("Only an approver changes what the co-op says of itself.")
    write_texts(session, actor=actor, kind="coop", subject_id=coop_id, coop_id=coop_id, language=language,
                translations=translations, now=now)  # fmt: skip


def set_producer_texts(
    session: Session, *, actor: Actor, producer_id: UUID, language: str, translations: Mapping[str, Text], now: datetime
) -> None:
    """Say in which language a producer's story is and give it in others. Raises ProducerMissing, BadText."""
    coop_id = of_own_coop(session, actor, producer_id).coop_id
    write_texts(session, actor=actor, kind="producer", subject_id=producer_id, coop_id=coop_id, language=language,
                translations=translations, now=now)  # fmt: skip


def write_texts(
    session: Session,
    *,
    actor: Actor,
    kind: str,
    subject_id: UUID,
    coop_id: UUID,
    language: str,
    translations: Mapping[str, Text],
    now: datetime,
) -> None:
    """Replace what is known of a subject's language (empty: not said) and translations; the caller holds its lock and right.

    Empty translations are left out. Raises BadText.
    """
    kept = {code: text for code, text in translations.items() if text.title or text.body}
    for code in {language, *kept} - {""}:
        if code not in LANGUAGES:
            raise BadText(say("%(language)s is none of the languages of this site.", language=code), pointer="/language")
    if language in kept:
        raise BadText(
            "You say that the original is in this language, so there can be no translation into it.",
            pointer=f"/body_{language}",
        )
    for code, text in kept.items():
        if len(text.title) > TITLE or len(text.body) > BODY:
            raise BadText(
                say("A title has at most %(title)s characters and a text %(body)s.", title=TITLE, body=BODY),
                pointer=f"/body_{code}",
            )
    session.execute(delete(OwnText).where(OwnText.subject_kind == kind, OwnText.subject_id == subject_id))
    rows = ([(language, True, Text())] if language else []) + [(code, False, text) for code, text in sorted(kept.items())]
    for code, original, text in rows:
        session.add(
            OwnText(
                subject_kind=kind,
                subject_id=subject_id,
                language=code,
                original=original,
                title=text.title,
                body=text.body,
                written_by=actor.label,
                written_at=now,
                coop_id=coop_id,
            )
        )
    audit.record(
        session, actor=actor, action=f"{kind}.texts", subject_kind=kind, subject_id=subject_id, now=now, coop_id=coop_id,
        new={"language": language, "translations": sorted(kept)},
    )  # fmt: skip
