"""The states of one payout, as data (money.md 6.1).

A step names where it may start, where it ends, and what else belongs to the same unit of work: which event is
posted and whether the payables become free again. Nothing else may change the state of a payout.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from market.kernel.words import N_, say, sentences
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

STANDS: Mapping[State, str] = {
    State.DRAFT: N_("This payout is a draft: its run is not approved yet."),
    State.APPROVED: N_("This payout is approved, and not yet handed on to be paid out."),
    State.QUEUED: N_("This payout waits to be paid out."),
    State.SENDING: N_("This payout is being sent right now."),
    State.SENT: N_("This payout was sent, and waits for the statement that shows it."),
    State.UNKNOWN: N_("This payout was sent, and no answer came: whether it went out is being asked."),
    State.NEEDS_PERSON: N_("Nobody knows yet whether this payout went out: a person has to find out and say so on its page."),
    State.SETTLED: N_("This payout is paid."),
    State.FAILED: N_("This payout failed: nothing was paid, and what it was for can go into a new run."),
    State.CANCELLED: N_("This payout was cancelled: what it was for can go into a new run."),
    State.RETURNED: N_("This payout came back: what it was for can go into a new run."),
}
"""Where a payout stands, as a refusal tells staff."""

WHEN: Mapping[Step, str] = {
    Step.APPROVE: N_("Only a draft is approved: look at its run again."),
    Step.QUEUE: N_("Only what was approved just now is handed on to be paid out."),
    Step.DISCARD: N_("Only a draft is thrown away. After the approval it can be cancelled until it is sent."),
    Step.CANCEL: N_(
        "It can be cancelled after the approval and until it is sent. Then only the bank or the payee can give it back."
    ),
    Step.CLAIM: N_("Only what waits to be paid out, or has no answer yet, is sent."),
    Step.ACCEPT: N_("Only what is being sent can be noted as sent."),
    Step.LOSE: N_("Only what is being sent can be left without an answer."),
    Step.FAIL: N_("It can be noted as failed only while it is on its way."),
    Step.SETTLE: N_("A line of a statement settles only what is on its way: look for what else this line can mean."),
    Step.UNSETTLE: N_("Only what a line of a statement has settled counts as sent again."),
    Step.RETURN: N_("Only what is paid can come back: match the line that shows its payment first."),
    Step.STAY_PAID: N_("Only what came back can count as paid again."),
    Step.GIVE_UP: N_("Only what was sent and has no answer is left to a person."),
    Step.CONFIRM: N_("A person's word is asked for only while nobody knows whether it went out."),
    Step.ISSUE: N_(
        "A cheque is made out only while the payout waits to be paid out. To replace one, void it first and prepare a new run."
    ),
    Step.HAND_OVER: N_("Cash is handed over only while the payout waits to be paid out. Do not pay it out again."),
}
"""When a step is possible, and what to do instead."""


def transition(state: str, step: Step) -> Transition:
    """Return the row for `step`. Raises StepRefused, saying where the payout stands and when the step is possible."""
    row = TRANSITIONS[step]
    if state not in row.sources:
        raise StepRefused(sentences(say(STANDS[State(state)]), say(WHEN[step])), state=str(state), step=str(step))
    return row


def is_final(state: str) -> bool:
    """Return whether nothing is sent or settled any more (a settled one can still be returned, and the return taken back)."""
    return state in FINAL
