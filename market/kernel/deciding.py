"""The end of what one person proposed: another's word, or its proposer's own (see `orm.FourEyes`)."""

from datetime import datetime

from market.kernel.actor import Actor
from market.kernel.errors import Forbidden
from market.kernel.orm import FourEyes
from market.kernel.words import N_


def decide(row: FourEyes, state: str, *, actor: Actor, now: datetime, refusal: type[Forbidden]) -> None:
    """Give a waiting proposal the state that somebody else decided on. Raises `refusal` for whoever proposed it."""
    if row.proposed_by == actor.label:
        raise refusal(N_("You proposed this. Somebody else has to decide."))
    row.state, row.decided_by, row.decided_at = state, actor.label, now


def withdraw(row: FourEyes, *, actor: Actor, now: datetime, refusal: type[Forbidden]) -> None:
    """Withdraw one's own waiting proposal. Raises `refusal` for anybody else."""
    if row.proposed_by != actor.label:
        raise refusal(N_("Only the person who proposed this can withdraw it."))
    row.state, row.decided_by, row.decided_at = "withdrawn", actor.label, now
