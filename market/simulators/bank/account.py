"""A simulated bank account: payment files in, statements out, each continuing the one before.

The bank has habits: it books some payments a day late, charges for each file, sends one payment back, and brings in
money from customers and from somebody nobody knows. All of it is a function of the input, so a test can foresee it.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from hashlib import sha256

from lxml import etree

from market.kernel.money import Money
from market.simulators.bank.camt import Booking, Head, write_statement

_PAYMENT, _COLLECTED, _CHARGE, _RETURN = (
    ("PMNT", "ICDT", "ESCT"),
    ("PMNT", "RCDT", "ESCT"),
    ("PMNT", "ICDT", "CHRG"),
    ("PMNT", "ICDT", "RRTN"),
)


@dataclass(frozen=True, slots=True)
class AccountState:
    """Where the last statement ended. Kept as a small JSON file between runs."""

    iban: str
    currency: str
    holder: str = "Co-op"
    balance_minor: int = 0
    number: int = 0
    last_on: str = ""

    def to_json(self) -> str:
        """Return the state as text."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> "AccountState":
        """Read what to_json wrote."""
        return cls(**json.loads(text))


@dataclass(frozen=True, slots=True)
class Incoming:
    """Money that a customer sends."""

    amount_minor: int
    reference: str
    name: str = "Paula Customer"
    iban: str = "DE89370400440532013000"
    text: str = ""


@dataclass(frozen=True, slots=True)
class Habits:
    """What this bank does besides paying. `late_every` n: each n-th payment is booked a day later."""

    fee_minor: int = 15
    late_every: int = 4
    returns: int = 1
    return_reason: str = "AC04"
    return_fee_minor: int = 0
    unknown_minor: int = 3333
    batch: bool = False
    days: int = 2


@dataclass(frozen=True, slots=True)
class Order:
    """One credit transfer of a payment file."""

    message_id: str
    payment_info_id: str
    end_to_end: str
    reference: str
    amount_minor: int
    currency: str
    name: str
    iban: str
    debtor_iban: str


def read_orders(pain: bytes) -> list[Order]:
    """Return the credit transfers of a pain.001, in their order."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    root = etree.fromstring(pain, parser)
    message_id = root.findtext(".//{*}GrpHdr/{*}MsgId") or ""
    orders = []
    for group in root.iterfind(".//{*}PmtInf"):
        for transfer in group.iterfind("{*}CdtTrfTxInf"):
            amount = transfer.find("{*}Amt/{*}InstdAmt")
            if amount is None or amount.text is None:
                raise ValueError("a payment of the file has no InstdAmt")
            currency = amount.get("Ccy", "")
            end_to_end = transfer.findtext("{*}PmtId/{*}EndToEndId") or ""
            orders.append(
                Order(
                    message_id=message_id,
                    payment_info_id=group.findtext("{*}PmtInfId") or "",
                    end_to_end=end_to_end,
                    reference=transfer.findtext("{*}RmtInf/{*}Strd/{*}CdtrRefInf/{*}Ref") or "",
                    amount_minor=Money.parse(amount.text, currency).minor,
                    currency=currency,
                    name=transfer.findtext("{*}Cdtr/{*}Nm") or "",
                    iban=transfer.findtext("{*}CdtrAcct/{*}Id/{*}IBAN") or "",
                    debtor_iban=group.findtext("{*}DbtrAcct/{*}Id/{*}IBAN") or "",
                )
            )
    return orders


def simulate(
    state: AccountState,
    orders: Sequence[Order],
    *,
    on: date,
    incoming: Sequence[Incoming] = (),
    habits: Habits = Habits(),
) -> tuple[bytes, AccountState]:
    """Carry out `orders`, book `incoming`, and return the statement from `on` for `habits.days` more days.

    Raises ValueError when the orders are for another account or currency, or `on` lies before the last statement.
    """
    if foreign := {each.debtor_iban for each in orders} - {state.iban, ""}:
        raise ValueError(f"the file is for account {', '.join(sorted(foreign))}, not for {state.iban}")
    if {each.currency for each in orders} - {state.currency}:
        raise ValueError(f"the account is kept in {state.currency}")
    if state.last_on and on < date.fromisoformat(state.last_on):
        raise ValueError(f"the last statement ended on {state.last_on}")
    until = on + timedelta(days=habits.days)
    bookings = sorted(_bookings(orders, incoming, habits, on, until), key=lambda each: each.booked_on)
    number = state.number + 1
    bookings = [replace(each, bank_ref=_bank_ref(state.iban, number, n)) for n, each in enumerate(bookings, start=1)]
    head = Head(state.iban, state.currency, state.holder, number, on, until, state.balance_minor)
    closing = state.balance_minor + sum(each.amount_minor for each in bookings)
    after = replace(state, balance_minor=closing, number=number, last_on=until.isoformat())
    return write_statement(head, bookings), after


def _bookings(orders: Sequence[Order], incoming: Sequence[Incoming], habits: Habits, on: date, until: date) -> list[Booking]:
    late = min(on + timedelta(days=1), until)
    paid = [_paid(each, late if habits.late_every and n % habits.late_every == 0 else on) for n, each in enumerate(orders, 1)]
    bookings = [_as_batch(paid, on)] if habits.batch and paid else list(paid)
    if habits.fee_minor and orders:
        text = f"Charges for {len(orders)} payments"
        bookings.append(Booking(until, -habits.fee_minor, "", _CHARGE, text=text))
    for each in incoming:
        bookings.append(
            Booking(
                on,
                each.amount_minor,
                "",
                _COLLECTED,
                name=each.name,
                iban=each.iban,
                end_to_end=each.reference,
                reference=each.reference if not each.text else "",
                text=each.text,
            )
        )
    for payment in paid[len(paid) - habits.returns :] if habits.returns else []:
        amount = -payment.amount_minor - habits.return_fee_minor
        bookings.append(replace(payment, booked_on=until, amount_minor=amount, code=_RETURN, return_reason=habits.return_reason))
    if habits.unknown_minor:
        bookings.append(Booking(late, habits.unknown_minor, "", _COLLECTED, name="Unknown Sender", text="as agreed, many thanks"))
    return bookings


def _paid(order: Order, on: date) -> Booking:
    return Booking(
        booked_on=on,
        amount_minor=-order.amount_minor,
        bank_ref="",
        code=_PAYMENT,
        name=order.name,
        iban=order.iban,
        end_to_end=order.end_to_end,
        reference=order.reference,
        message_id=order.message_id,
        payment_info_id=order.payment_info_id,
    )


def _as_batch(paid: Sequence[Booking], on: date) -> Booking:
    total = sum(each.amount_minor for each in paid)
    first = paid[0]
    return Booking(on, total, "", _PAYMENT, payment_info_id=first.payment_info_id, parts=tuple(paid))


def _bank_ref(iban: str, number: int, n: int) -> str:
    return sha256(f"{iban}/{number}/{n}".encode()).hexdigest()[:20].upper()
