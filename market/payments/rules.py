"""Payments without a database: their states, what a bank transfer means, and how money splits over sellers.

A `Move` is a posting to be: debit account, credit account, amount, and the id of what it is about. The event
numbers (E02, E05, ...) are those of `money.md` 2.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from market.kernel.money import Money, allocate, exponent, total

COMPONENTS = ("goods", "premium", "charges", "tax")


class State(StrEnum):
    """Where a payment stands. `authorised`: kept on the card, taken when the goods are packed.

    `surplus`: money came for something that no longer wanted it (E09).
    """

    CREATED = "created"
    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    AUTHORISED = "authorised"
    AWAITING_TRANSFER = "awaiting_transfer"
    PART_PAID = "part_paid"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    SURPLUS = "surplus"


OPEN = frozenset(
    {State.CREATED, State.REQUIRES_ACTION, State.PROCESSING, State.AUTHORISED, State.AWAITING_TRANSFER, State.PART_PAID}
)
LIVE = OPEN | {State.SUCCEEDED}
PAID = frozenset({State.SUCCEEDED, State.SURPLUS})
_ORDER = {State.CREATED: 0, State.REQUIRES_ACTION: 1, State.PROCESSING: 2, State.AUTHORISED: 3}


def after(now: State, seen: State) -> State:
    """Return what a card payment becomes when the processor shows `seen`; the same state means that nothing happens.

    Paid stays paid, whoever comes second. Nothing goes backwards except from `processing` or `authorised` to an end. A
    payment that we closed and that succeeds all the same is a surplus: money to give back, never a silent loss.
    """
    if now in PAID:
        return now
    if seen is State.SUCCEEDED:
        return State.SUCCEEDED if now in OPEN else State.SURPLUS
    if now not in OPEN:
        return now
    if seen in (State.FAILED, State.EXPIRED):
        return seen
    return seen if _ORDER.get(seen, -1) > _ORDER.get(now, 9) else now


@dataclass(frozen=True, slots=True)
class PaymentPart:
    """What one seller order is paid, by component (L-5: they never share an account). `subject` is the seller order."""

    coop_id: UUID
    subject: UUID
    goods: Money
    premium: Money
    charges: Money
    tax: Money

    def __post_init__(self) -> None:
        if any(amount.minor < 0 for _, amount in self.components()) or not self.total:
            raise ValueError("the components of a part are not negative, and not all zero")

    def components(self) -> list[tuple[str, Money]]:
        """Return the four amounts with their names, in the order in which they are filled."""
        return [(name, getattr(self, name)) for name in COMPONENTS]

    @property
    def total(self) -> Money:
        """The sum; raises ValueError when the currencies differ."""
        return total([self.goods, self.premium, self.charges, self.tax], self.goods.currency)


@dataclass(frozen=True, slots=True)
class Move:
    """One amount from a credit account to a debit account."""

    debit: str
    credit: str
    money: Money
    subject: UUID


def total_of(parts: Sequence[PaymentPart]) -> Money:
    """Return what a payment of these parts comes to. Raises ValueError when empty or of several currencies."""
    if not parts:
        raise ValueError("a payment has at least one part")
    return total([part.total for part in parts], parts[0].goods.currency)


def paid_moves(part: PaymentPart, source: str) -> list[Move]:
    """Return the postings of a part that is paid in full from `source` (E02: card_clearing; E05: the suspense)."""
    return [Move(source, f"held:{name}", amount, part.subject) for name, amount in part.components() if amount]


def tolerance(total: Money) -> Money:
    """Return how much too little still completes an order: 0.50 or 0.5 %, whichever is less (money.md 5)."""
    half = 10 ** exponent(total.currency) // 2
    return Money(min(half, total.minor // 200), total.currency)


def in_coins(total: Money) -> Money:
    """Return an amount rounded to the nearest five of the smallest unit, as it is paid where there are no smaller coins."""
    return Money((total.minor + 2) // 5 * 5, total.currency)


@dataclass(frozen=True, slots=True)
class Arrival:
    """What one incoming transfer means: its postings, and what the payment becomes.

    `credit` is the buyer's credit after it; `written_off` is what the co-op's charges bore.
    """

    state: State
    moves: tuple[Move, ...]
    credit: Money
    written_off: Money


def arrival(
    parts: Sequence[PaymentPart], *, state: State, credit_before: Money, amount: Money, suspense: str, credit: str, line: UUID
) -> Arrival:
    """Decide what `amount` on a statement line does to a payment awaiting a transfer (E05 to E09).

    `credit` names the account where the buyer's own money waits, `credit_before` what lies there from earlier
    transfers. A shortage within the tolerance is borne by the co-op's charges, never by goods or premium.
    """
    nothing = Money.zero(amount.currency)
    if state not in (State.AWAITING_TRANSFER, State.PART_PAID):
        ended = state if state in PAID else State.SURPLUS
        return Arrival(ended, (Move(suspense, credit, amount, line),), credit_before + amount, nothing)  # E08, E09
    due = total_of(parts)
    got = credit_before + amount
    charges = Money(sum(part.charges.minor for part in parts), due.currency)
    short = due - got
    if short.minor > 0 and (tolerance(due) < short or charges < short):
        return Arrival(State.PART_PAID, (Move(suspense, credit, amount, line),), got, nothing)  # E07
    written_off = short if short.minor > 0 else nothing
    moves = _filled(parts, [(credit, credit_before), (suspense, amount)], written_off)
    rest = Money(max(-short.minor, 0), due.currency)
    if rest:
        moves.append(Move(suspense, credit, rest, line))  # E08
    return Arrival(State.SUCCEEDED, tuple(moves), rest, written_off)


def _filled(parts: Sequence[PaymentPart], sources: list[tuple[str, Money]], written_off: Money) -> list[Move]:
    """Fill every component from the sources in turn; the write-off takes the place of charges, largest remainder."""
    lost = allocate(written_off, [part.charges.minor for part in parts]) if written_off else [written_off] * len(parts)
    waiting: list[tuple[str, int]] = [(account, money.minor) for account, money in sources]
    moves: list[Move] = []
    for part, loss in zip(parts, lost, strict=True):
        for name, amount in part.components():
            need = amount.minor - (loss.minor if name == "charges" else 0)
            while need > 0:
                while not waiting[0][1]:
                    waiting.pop(0)
                account, left = waiting[0]
                taken = min(need, left)
                moves.append(Move(account, f"held:{name}", Money(taken, amount.currency), part.subject))
                waiting[0] = (account, left - taken)
                need -= taken
        if loss:
            moves.append(Move("write_off", "held:charges", loss, part.subject))
    return moves


@dataclass(frozen=True, slots=True)
class Amounts:
    """An amount by component."""

    goods: Money
    premium: Money
    charges: Money
    tax: Money

    @classmethod
    def of(cls, currency: str, minors: Iterable[int]) -> "Amounts":
        """Make one from four numbers of minor units, in the order of COMPONENTS."""
        return cls(*(Money(minor, currency) for minor in minors))

    def components(self) -> list[tuple[str, Money]]:
        """Return the four amounts with their names."""
        return [(name, getattr(self, name)) for name in COMPONENTS]

    @property
    def total(self) -> Money:
        """The sum of the four."""
        return total([self.goods, self.premium, self.charges, self.tax], self.goods.currency)


def over_components(left: Amounts, amount: Money) -> Amounts:
    """Split a refund that somebody made elsewhere over what is left of each component, in proportion (money.md 4.3)."""
    if left.total < amount:
        raise ValueError(f"{amount.text} is more than the {left.total.text} that are left")
    return Amounts(*allocate(amount, [money.minor for _, money in left.components()]))


@dataclass(frozen=True, slots=True)
class Share:
    """The part of one co-op in a line of the processor's statement."""

    coop_id: UUID
    gross: Money
    fee: Money

    @property
    def net(self) -> Money:
        """What moves on the co-op's mirror."""
        return self.gross - self.fee


def shares(gross: Money, fee: Money, weights: Sequence[tuple[UUID, int]]) -> list[Share]:
    """Split a statement line over co-ops by what each has in it, fee and gross by largest remainder (E54)."""
    numbers = [weight for _, weight in weights]
    split = zip(weights, allocate(gross, numbers), allocate(fee, numbers), strict=True)
    return [Share(coop_id, part, cost) for (coop_id, _), part, cost in split]


# states of a card dispute in the processor's words; a warning is an inquiry that has taken no money
DISPUTE_OPEN = ("warning_needs_response", "warning_under_review", "needs_response", "under_review")
WANTS_EVIDENCE = ("warning_needs_response", "needs_response")
DISPUTE_CLOSED = ("warning_closed", "won", "lost", "prevented")
DISPUTE_TOOK = ("needs_response", "under_review", "lost")  # the money lies with the buyer's bank
