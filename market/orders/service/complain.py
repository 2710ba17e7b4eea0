"""Something is wrong with what came, or did not come: the buyer's words wait for the co-op's answer."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from market.kernel import audit
from market.kernel.actor import Actor
from market.kernel.ids import new_id
from market.kernel.locks import lock_one
from market.kernel.words import N_, say
from market.orders.errors import ComplaintFaulty, OrderMissing, WrongState
from market.orders.models import Complaint, SellerOrder

MOST_LETTERS = 2000


def complain(session: Session, *, actor: Actor, seller_order_id: UUID, words: str, now: datetime) -> None:
    """Keep what the buyer says is wrong; words that come later are added to those that still wait.

    While they wait, silence confirms nothing. The edge has proven that the actor is the buyer.
    Raises ComplaintFaulty, and WrongState for a part that was never paid.
    """
    words = _checked(words, N_("Please say in a few words what is wrong."))
    seller = lock_one(session, SellerOrder, seller_order_id)
    if seller.state in ("placed", "cancelled"):
        raise WrongState("This part is not paid. Pay it or cancel the order; then there is nothing to complain about.")
    waiting = session.scalars(_open(seller_order_id)).one_or_none()
    if waiting is None:
        row = Complaint(id=new_id(), coop_id=seller.coop_id, seller_order_id=seller.id, words=words, opened_at=now)
        session.add(row)
    elif words not in waiting.words:  # the same form, sent twice
        waiting.words = f"{waiting.words}\n\n{words}"
    audit.record(
        session, actor=actor, action="orders.complained", subject_kind="seller_order", subject_id=seller.id,
        coop_id=seller.coop_id, now=now, new={"words": words},
    )  # fmt: skip


def answer_complaint(session: Session, *, actor: Actor, seller_order_id: UUID, answer: str, now: datetime) -> None:
    """Answer the buyer and close the complaint. Raises ComplaintFaulty without an answer, OrderMissing without a complaint."""
    answer = _checked(answer, N_("Please write what the buyer is told."))
    seller = lock_one(session, SellerOrder, seller_order_id)
    waiting = session.scalars(_open(seller.id)).one_or_none()
    if waiting is None:
        raise OrderMissing("No complaint waits for an answer here.")
    waiting.answer, waiting.answered_by, waiting.answered_at = answer, actor.label, now
    audit.record(
        session, actor=actor, action="orders.complaint_answered", subject_kind="seller_order", subject_id=seller.id,
        coop_id=seller.coop_id, now=now, new={"answer": answer},
    )  # fmt: skip


def _checked(words: str, sentence: str) -> str:
    words = words.strip()
    if not words:
        raise ComplaintFaulty(sentence, pointer="/words")
    if len(words) > MOST_LETTERS:
        raise ComplaintFaulty(
            say("Please say it in at most %(most_letters)s letters.", most_letters=MOST_LETTERS), pointer="/words"
        )
    return words


def _open(seller_order_id: UUID) -> Select[Complaint]:
    return select(Complaint).where(Complaint.seller_order_id == seller_order_id, Complaint.answered_at.is_(None))
