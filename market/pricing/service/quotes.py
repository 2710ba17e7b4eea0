"""What people enter with a source and a day: market prices, exchange rates, the content of a packaging."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy.orm import Session

from market.kernel import audit
from market.kernel.actor import Actor
from market.kernel.clock import FIRST_ZONE, day_in
from market.kernel.errors import Invalid
from market.kernel.ids import new_id
from market.kernel.locks import lock_one
from market.kernel.money import EXPONENTS
from market.kernel.words import Term, say
from market.pricing.errors import SamePerson
from market.pricing.models import FxEvidenceRow, MarketQuote, PackagingRow, TermAlias
from market.pricing.rules import UNITS, unit_code
from market.pricing.rules.terms import folded


class QuoteRefused(Invalid):
    """A quote, rate or packaging cannot be right."""

    code = "quote_refused"


def _positive(value: Decimal, name: str) -> None:
    if value <= 0:
        raise QuoteRefused(say("The %(name)s must be above zero.", name=Term(name.replace("_", " "))), pointer=f"/{name}")


def _known(currency: str, unit: str | None = None) -> None:
    if currency not in EXPONENTS:
        raise QuoteRefused(say("'%(currency)s' is not a currency of ISO 4217.", currency=currency), pointer="/currency")
    if unit is not None and unit not in UNITS:
        raise QuoteRefused(
            say("'%(unit)s' is not a unit with a fixed value; known are %(units)s.", unit=unit, units=UNITS), pointer="/unit"
        )


def enter_quote(
    session: Session,
    *,
    market: str,
    price: Decimal,
    unit: str,
    currency: str,
    quoted_on: date,
    source_name: str,
    actor: Actor,
    now: datetime,
    addition: Decimal = Decimal(0),
    addition_label: str = "",
    contract_month: str = "",
    per: Decimal = Decimal(1),
) -> UUID:
    """Enter a market price of a day; the newest entry of a day counts. `addition` is a differential on top of it.

    A quote serves checks for seven days (project choice). Raises QuoteRefused.
    """
    unit = unit_code(unit)
    _positive(price, "price")
    _known(currency, unit)
    if not source_name.strip() or not market.strip():
        raise QuoteRefused("A quote needs its market and its source.", pointer="/source_name")
    if quoted_on > day_in(now, FIRST_ZONE):
        raise QuoteRefused("A quote cannot be of a day to come.", pointer="/quoted_on")
    row = MarketQuote(
        id=new_id(),
        market=market.strip(),
        contract_month=contract_month,
        price=price,
        addition=addition,
        addition_label=addition_label,
        unit=unit,
        per=per,
        currency=currency,
        quoted_on=quoted_on,
        source_name=source_name.strip(),
        entered_by=actor.label,
        entered_at=now,
    )
    session.add(row)
    session.flush()  # a check in the same transaction must see it
    _note(session, actor, "quote.entered", "market_quote", row.id, now, market=market, price=str(price))
    return row.id


def check_quote(session: Session, *, quote_id: UUID, actor: Actor, now: datetime) -> None:
    """Say as a second person that a quote agrees with its source. Raises SamePerson."""
    row = lock_one(session, MarketQuote, quote_id)
    if row.entered_by == actor.label:
        raise SamePerson("A second person must check the quote: you entered it yourself.")
    row.checked_by = actor.label
    session.flush()  # a check in the same transaction must see it
    _note(session, actor, "quote.checked", "market_quote", row.id, now)


def enter_rate(
    session: Session, *, base: str, quote: str, rate: Decimal, rate_on: date, source_name: str, actor: Actor, now: datetime
) -> UUID:
    """Enter the evidence of an exchange rate: `rate` of `quote` for one of `base` (R-12). Raises QuoteRefused.

    It cannot be of a day to come: nobody has seen it yet.
    """
    _positive(rate, "rate")
    _known(base)
    _known(quote)
    if base == quote or not source_name.strip():
        raise QuoteRefused("A rate joins two currencies and names its source.", pointer="/source_name")
    if rate_on > day_in(now, FIRST_ZONE):
        raise QuoteRefused("The day cannot lie after today.", pointer="/rate_on")
    row = FxEvidenceRow(
        id=new_id(),
        base=base,
        quote=quote,
        rate=rate,
        rate_on=rate_on,
        source_name=source_name.strip(),
        entered_by=actor.label,
        entered_at=now,
    )
    session.add(row)
    session.flush()  # a check in the same transaction must see it
    _note(session, actor, "rate.entered", "fx_evidence", row.id, now, rate=str(rate))
    return row.id


def declare_packaging(
    session: Session, *, code: str, net_quantity: Decimal, unit: str, holder: str, actor: Actor, now: datetime, on: date
) -> UUID:
    """Declare what one box, bag or bunch holds; only then can its price be converted (R-11). Raises QuoteRefused."""
    _positive(net_quantity, "net_quantity")
    _known("USD", unit_code(unit))
    row = PackagingRow(
        id=new_id(),
        code=unit_code(code),
        holder=holder,
        net_quantity=net_quantity,
        unit=unit_code(unit),
        declared_by=actor.label,
        declared_on=on,
    )
    session.add(row)
    session.flush()  # a row that names it may follow in the same transaction
    _note(session, actor, "packaging.declared", "packaging", row.id, now, code=row.code)
    return row.id


def name_term(session: Session, *, kind: str, term: str, code: str, actor: Actor, now: datetime) -> None:
    """Say which code a word of a table means (E13)."""
    session.merge(TermAlias(kind=kind, term=folded(term), code=code, entered_by=actor.label))
    session.flush()  # an import in the same transaction must know it
    _note(session, actor, "term.named", "term_alias", f"{kind}:{folded(term)}", now, code=code)


def _note(session: Session, actor: Actor, action: str, kind: str, subject: UUID | str, now: datetime, **new: str) -> None:
    audit.record(session, actor=actor, action=action, subject_kind=kind, subject_id=subject, now=now, new=dict(new))
