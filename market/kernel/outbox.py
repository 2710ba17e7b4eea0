"""Facts that must reach somebody after the commit: written in the same transaction, sent by the dispatcher.

At least once, so every consumer is idempotent. Payloads are ids: hints to look, not facts. The broker may forget what it
took: a fact is over when the last task that it wakes has said so, and until then it is handed over again from time to time.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Identity, Index, Select, Text, insert, literal, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from market.kernel import direct
from market.kernel.orm import Base, Instant, Json


class OutboxRow(Base):
    """One announced fact; `key` keeps order among its like.

    `sent_at` is set when the broker has taken it, `attempts` counts how often; `awaits` names the tasks that have not
    recorded yet that they did it.
    """

    __tablename__ = "outbox"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    topic: Mapped[str]
    payload: Mapped[Json]
    key: Mapped[str | None]
    created_at: Mapped[Instant] = mapped_column(server_default=text("clock_timestamp()"))
    claimed_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    last_error: Mapped[str | None]
    sent_at: Mapped[datetime | None]
    awaits: Mapped[list[str] | None] = mapped_column(ARRAY(Text))

    __table_args__ = (
        Index("outbox_waiting", "id", postgresql_where=text("sent_at IS NULL")),
        Index("outbox_under_way", "sent_at", postgresql_where=text("sent_at IS NOT NULL AND cardinality(awaits) > 0")),
    )


def announce(session: Session, topic: str, payload: Mapping[str, Any], *, key: str | None = None) -> None:
    """Record that something happened; `payload` holds ids as text and becomes the keyword arguments of each task."""
    direct.run(session, _ANNOUNCE, _row(topic, payload, key))


def announce_many(session: Session, topic: str, payloads: Sequence[Mapping[str, Any]]) -> None:
    """Record that the same kind of thing happened to many, in one statement."""
    given = direct.as_json([{name: str(value) for name, value in payload.items()} for payload in payloads])
    direct.run(session, _ANNOUNCE_MANY, {"topic": topic, "payloads": given})


def announce_selected(session: Session, topic: str, payloads: Select[Any]) -> None:
    """Record that the same kind of thing happened to all that `payloads` selects: one JSON object a row."""
    given = payloads.subquery()
    session.execute(insert(OutboxRow).from_select(["topic", "payload"], select(literal(topic), *given.c)))


def announcing(topic: str, payload: Mapping[str, Any], *, key: str | None = None) -> direct.Piece:
    """Return what `announce` writes as a piece of a statement, once per statement."""
    return direct.Piece(f"announced AS ({_ANNOUNCE})", _row(topic, payload, key))


def note_done(session: Session, *, fact_id: int, task: str) -> None:
    """Record that a task did what a fact asks of it. Without waiting for the disk: if that is lost, the task runs again."""
    session.execute(text("SET LOCAL synchronous_commit = off"))
    session.execute(_DONE, {"id": fact_id, "task": task})


def note_fault(session: Session, *, fact_id: int, task: str, problem: str) -> None:
    """Record what went wrong in a task, for whoever asks why a fact is not over."""
    session.execute(_FAULT, {"id": fact_id, "problem": f"{task}: {problem}"[:500]})


def _row(topic: str, payload: Mapping[str, Any], key: str | None) -> dict[str, Any]:
    return {"topic": topic, "payload": direct.as_json({name: str(value) for name, value in payload.items()}), "key": key}


_ANNOUNCE = "INSERT INTO outbox (topic, payload, key) VALUES (%(topic)s, %(payload)s::jsonb, %(key)s)"
_ANNOUNCE_MANY = "INSERT INTO outbox (topic, payload) SELECT %(topic)s, p FROM jsonb_array_elements(%(payloads)s::jsonb) p"

_DONE = text("UPDATE outbox SET awaits = array_remove(awaits, CAST(:task AS text)) WHERE id = :id")
_FAULT = text("UPDATE outbox SET last_error = :problem WHERE id = :id")
