"""The states of one payout, as data (money.md 6.1).

A step names where it may start, where it ends, and what else belongs to the same unit of work: which event is
posted and whether the payables become free again. Nothing else may change the state of a payout.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from market.kernel.words import Term, say
from market.payouts.errors import StepRefused


class State(StrEnum):
    """Where a payout stands; the words are the ones that staff read."""

    DRAFT = "draft"
    APPROVED = "approved"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"
    NEEDS_PERSON = "needs_person"
    SETTLED = "settled"
    FAILED = "failed"
    CANCELLED = "cancelled"
    RETURNED = "returned"


class Step(StrEnum):
    """What can happen to a payout."""

    APPROVE = "approve"
    QUEUE = "queue"
    DISCARD = "discard"
    CANCEL = "cancel"
    CLAIM = "claim"
    ACCEPT = "accept"
    LOSE = "lose"
    FAIL = "fail"
    SETTLE = "settle"
    UNSETTLE = "unsettle"
    RETURN = "return"
    STAY_PAID = "stay_paid"
    GIVE_UP = "give_up"
    CONFIRM = "confirm"
    HAND_OVER = "hand_over"
    ISSUE = "issue"


@dataclass(frozen=True, slots=True)
class Transition:
    """One row of the table: `posts` is the event of money.md 2, `frees` says that the payables are open again."""

    sources: frozenset[State]
    target: State
    posts: str | None = None
    frees: bool = False


def _from(*sources: State) -> frozenset[State]:
    return frozenset(sources)


TRANSITIONS: Mapping[Step, Transition] = {
    Step.APPROVE: Transition(_from(State.DRAFT), State.APPROVED, posts="E18"),
    Step.QUEUE: Transition(_from(State.APPROVED), State.QUEUED),
    Step.DISCARD: Transition(_from(State.DRAFT), State.CANCELLED, frees=True),
    Step.CANCEL: Transition(_from(State.APPROVED, State.QUEUED), State.CANCELLED, posts="E42", frees=True),
    Step.CLAIM: Transition(_from(State.QUEUED, State.SENDING, State.SENT, State.UNKNOWN), State.SENDING),
    Step.ACCEPT: Transition(_from(State.SENDING, State.UNKNOWN), State.SENT),
    Step.LOSE: Transition(_from(State.SENDING), State.UNKNOWN),
    Step.FAIL: Transition(
        _from(State.SENDING, State.SENT, State.UNKNOWN, State.NEEDS_PERSON), State.FAILED, posts="E42", frees=True
    ),
    Step.SETTLE: Transition(_from(State.SENDING, State.SENT, State.UNKNOWN, State.NEEDS_PERSON), State.SETTLED, posts="E19"),
    Step.UNSETTLE: Transition(_from(State.SETTLED), State.SENT),
    Step.RETURN: Transition(_from(State.SETTLED), State.RETURNED, posts="E43", frees=True),
    Step.STAY_PAID: Transition(_from(State.RETURNED), State.SETTLED),  # the line that brought it back was something else
    Step.GIVE_UP: Transition(_from(State.UNKNOWN, State.SENDING, State.SENT), State.NEEDS_PERSON),
    Step.CONFIRM: Transition(_from(State.NEEDS_PERSON), State.SENT),
    Step.ISSUE: Transition(_from(State.QUEUED), State.SENT),
    Step.HAND_OVER: Transition(_from(State.QUEUED), State.SETTLED, posts="E46"),
}

FINAL = frozenset({State.FAILED, State.CANCELLED, State.RETURNED})
"""What it paid is owed again. Only that a statement brought one back can still turn out to be wrong."""
IN_TRANSIT = frozenset(
    {State.APPROVED, State.QUEUED, State.SENDING, State.SENT, State.UNKNOWN, State.NEEDS_PERSON},
)


def transition(state: str, step: Step) -> Transition:
    """Return the row for `step`. Raises StepRefused, naming both words, when a payout in `state` cannot take it."""
    row = TRANSITIONS[step]
    if state not in row.sources:
        raise StepRefused(
            say(
                "A payout that is %(state)s cannot %(step)s.",
                state=Term(state.replace("_", " ")),
                step=Term(step.replace("_", " ")),
            ),
            state=str(state),
            step=str(step),
        )
    return row


def is_final(state: str) -> bool:
    """Return whether nothing is sent or settled any more (a settled one can still be returned, and the return taken back)."""
    return state in FINAL
