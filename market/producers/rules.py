"""What a co-op, an account to pay to, and a certificate may look like. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from schwifty import BIC, IBAN
from schwifty.exceptions import SchwiftyException

from market.kernel import postcodes
from market.kernel.languages import country_codes
from market.kernel.money import EXPONENTS
from market.kernel.text import fold
from market.kernel.words import Term, say
from market.producers.errors import (
    BadCertificate,
    BadCoop,
    BadIdentity,
    BadPayeeAccount,
    BadProducer,
    CertificateStateWrong,
)

SELLER_KINDS = ("person", "organisation")
RAILS = ("sepa", "stripe", "momo", "cash", "cheque")
CERTIFICATE_KINDS = ("trade", "organic", "other")
CERTIFICATE_STEPS: Mapping[str, frozenset[str]] = {
    "entered": frozenset({"active", "withdrawn"}),
    "active": frozenset({"suspended", "withdrawn"}),
    "suspended": frozenset({"active", "withdrawn"}),
    "withdrawn": frozenset(),
}
"""fair-prices.md 7: a certificate counts from a person's check on; nothing leads out of withdrawn."""

CERTIFICATE_WARNING = timedelta(days=60)
"""How long before its end a certificate is a matter for staff (fair-prices.md 7)."""

_STRIPE_ACCOUNT = re.compile(r"acct_[A-Za-z0-9_]{4,60}")
_PHONE = re.compile(r"\+[1-9]\d{6,14}")


@dataclass(frozen=True, slots=True)
class PostalAddress:
    """An address in the parts that bank files ask for (ISO 20022, structured)."""

    street: str = ""
    building: str = ""
    town: str = ""
    postcode: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class PayTo:
    """Where somebody is to be paid, as entered."""

    rail: str
    currency: str
    holder: str
    address: PostalAddress
    iban: str | None = None
    bic: str | None = None
    stripe_account: str | None = None
    msisdn: str | None = None
    """The phone number of a mobile-money wallet, with + and the country's code (E.164)."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a seller is for the tax office: the fields of DAC7 (Directive (EU) 2021/514). Empty is what nobody has said."""

    kind: str = "person"
    legal_name: str = ""
    street: str = ""
    building: str = ""
    town: str = ""
    postcode: str = ""
    country: str = ""
    tax_number: str = ""
    tax_country: str = ""
    vat_number: str = ""
    birth_place: str = ""
    registration_number: str = ""
    born_on: date | None = None


def checked_identity(wanted: Identity, *, today: date) -> Identity:
    """Return the facts in canonical form; what is empty stays so. Raises BadIdentity, BadPostcode, pointing at the field."""
    if wanted.kind not in SELLER_KINDS:
        raise BadIdentity("A seller is a person or an organisation.", pointer="/kind")
    texts = {name: " ".join(getattr(wanted, name).split()) for name in Identity.__slots__ if name not in ("kind", "born_on")}
    for name in ("country", "tax_country"):
        texts[name] = texts[name].upper()
        if texts[name] and texts[name] not in country_codes():
            raise BadIdentity("Name the country by its two-letter code, such as ET.", pointer=f"/{name}")
    for name, value in texts.items():
        if len(value) > 200:
            raise BadIdentity("Write at most 200 letters.", pointer=f"/{name}")
    texts["postcode"] = postcodes.checked(texts["postcode"], texts["country"])
    if wanted.born_on and not date(1880, 1, 1) <= wanted.born_on < today:
        raise BadIdentity("A date of birth lies in the past.", pointer="/born_on")
    return Identity(kind=wanted.kind, born_on=wanted.born_on, **texts)


def missing_facts(identity: Identity, *, has_account: bool) -> tuple[str, ...]:
    """Return the names of what a report of this seller still lacks, in the order in which it is asked for."""
    person = identity.kind == "person"
    known = {
        "legal_name": identity.legal_name,
        "address": identity.town and (identity.street or identity.postcode),
        "country": identity.country,
        "tax_number": identity.tax_number or (identity.birth_place if person else ""),
        "tax_country": identity.tax_country or not identity.tax_number,
        "born_on": identity.born_on or not person,
        "registration_number": identity.registration_number or person,
        "account": has_account,
    }
    return tuple(name for name, value in known.items() if not value)


def checked_iban(text: str) -> str:
    """Return the IBAN in its compact form, check digits verified. Raises BadPayeeAccount."""
    try:
        return IBAN(text).compact
    except SchwiftyException as error:
        raise BadPayeeAccount(
            say("This IBAN cannot be right: %(error)s. Compare it digit by digit.", error=error), pointer="/iban"
        ) from error


def checked_bic(text: str | None) -> str | None:
    """Return the BIC in its compact form, or None for none. Raises BadPayeeAccount."""
    if not text or not text.strip():
        return None
    try:
        return BIC(text).compact
    except SchwiftyException as error:
        raise BadPayeeAccount(say("This BIC cannot be right: %(error)s.", error=error), pointer="/bic") from error


def checked_pay_to(wanted: PayTo) -> PayTo:
    """Return the details in canonical form, only those that the rail uses. Raises BadPayeeAccount, BadPostcode."""
    if wanted.rail not in RAILS:
        raise BadPayeeAccount(
            say("Payments go by %(rails)s; '%(rail)s' is not one of them.", rails=RAILS, rail=wanted.rail), pointer="/rail"
        )
    if wanted.currency not in EXPONENTS:
        raise BadPayeeAccount(say("'%(currency)s' is not a currency of ISO 4217.", currency=wanted.currency), pointer="/currency")
    if not 1 <= len(wanted.holder.strip()) <= 70:
        raise BadPayeeAccount("Write the account holder's name as the bank knows it, at most 70 letters.", pointer="/holder")
    if wanted.address.country not in country_codes():
        raise BadPayeeAccount("Name the holder's country by its two-letter code, such as ET.", pointer="/country")
    if wanted.rail == "sepa" and wanted.currency != "EUR":
        raise BadPayeeAccount("A SEPA transfer is in euro. Choose another rail for this currency.", pointer="/currency")
    if wanted.rail == "sepa" and not wanted.address.town.strip():
        raise BadPayeeAccount("Banks ask for the holder's town.", pointer="/town")
    postcode = postcodes.checked(wanted.address.postcode, wanted.address.country)
    if wanted.rail == "stripe" and not _STRIPE_ACCOUNT.fullmatch(wanted.stripe_account or ""):
        raise BadPayeeAccount("A Stripe account begins with acct_.", pointer="/stripe_account")
    msisdn = re.sub(r"[\s()-]", "", wanted.msisdn or "") if wanted.rail == "momo" else None
    if msisdn is not None and not _PHONE.fullmatch(msisdn):
        raise BadPayeeAccount("Write the wallet's phone number with + and the country's code, digits only.", pointer="/msisdn")
    sepa = wanted.rail == "sepa"
    return PayTo(
        rail=wanted.rail,
        currency=wanted.currency,
        holder=wanted.holder.strip(),
        address=replace(wanted.address, postcode=postcode),
        iban=checked_iban(wanted.iban or "") if sepa else None,
        bic=checked_bic(wanted.bic) if sepa else None,
        stripe_account=wanted.stripe_account if wanted.rail == "stripe" else None,
        msisdn=msisdn,
    )


def same_name(one: str, other: str) -> bool:
    """Return whether two names can be the same person's: every word of the shorter one stands in the other, in any order.

    Letters are compared without accents and case. An empty name says nothing, so nothing differs.
    """
    words, others = (set(re.findall(r"\w+", fold(name))) for name in (one, other))
    shorter, longer = sorted((words, others), key=len)
    return shorter <= longer


def check_coop(
    *,
    name: str,
    country: str,
    currency: str,
    time_zone: str,
    percentages: Mapping[str, Decimal],
    transport_minor: int,
    delivery_days: tuple[int, int],
) -> None:
    """Raise BadCoop, pointing at the field, unless a co-op may be described like this."""
    if not 2 <= len(name.strip()) <= 120:
        raise BadCoop("Write the co-op's name, 2 to 120 letters.", pointer="/name")
    if country not in country_codes():
        raise BadCoop("Name the country by its two-letter code, such as ET.", pointer="/country")
    if currency not in EXPONENTS:
        raise BadCoop(say("'%(currency)s' is not a currency of ISO 4217.", currency=currency), pointer="/currency")
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise BadCoop("Name the time zone as Continent/City, such as Africa/Addis_Ababa.", pointer="/time_zone") from error
    for field, value in percentages.items():
        if not 0 <= value <= 100:
            raise BadCoop("A percentage lies between 0 and 100.", pointer=f"/{field}")
    if transport_minor < 0:
        raise BadCoop("Transport costs nothing or more.", pointer="/transport_minor_per_line")
    first, last = delivery_days
    if not 0 <= first <= last <= 365:
        raise BadCoop("Goods arrive between these two days, within a year: the earlier one first.", pointer="/delivery_to_days")


def check_terms(*, transfer_hold_days: int, part_paid_days: int, book_alone_minor: int) -> None:
    """Raise BadCoop, pointing at the field, unless a co-op may wait and decide alone like this."""
    if not 1 <= transfer_hold_days <= 31:
        raise BadCoop("Goods are kept for a bank transfer for 1 to 31 days.", pointer="/transfer_hold_days")
    if not 1 <= part_paid_days <= 90:
        raise BadCoop("A part payment waits for the rest for 1 to 90 days.", pointer="/part_paid_days")
    if book_alone_minor < 0:
        raise BadCoop("The amount that one person books alone is nothing or more.", pointer="/book_alone_minor")


def check_producer(*, name: str, sms_phone: str | None) -> None:
    """Raise BadProducer unless a producer may be described like this."""
    if not 2 <= len(name.strip()) <= 120:
        raise BadProducer("Write the name that the producer agreed to have shown, 2 to 120 letters.", pointer="/name")
    if sms_phone and not _PHONE.fullmatch(sms_phone):
        raise BadProducer("Write the phone number with + and the country's code, digits only.", pointer="/sms_phone")


def check_certificate(*, scheme: str, kind: str, number: str, issuer: str, valid_from: date, valid_to: date) -> None:
    """Raise BadCertificate unless a certificate may be described like this."""
    if kind not in CERTIFICATE_KINDS:
        raise BadCertificate(
            say("A certificate is of the kind %(certificate_kinds)s.", certificate_kinds=CERTIFICATE_KINDS), pointer="/kind"
        )
    for pointer, text in (("/scheme", scheme), ("/number", number), ("/issuer", issuer)):
        if not 1 <= len(text.strip()) <= 200:
            raise BadCertificate("Write what stands on the certificate, at most 200 letters.", pointer=pointer)
    if valid_to < valid_from:
        raise BadCertificate("The last day lies before the first.", pointer="/valid_to")


def check_certificate_step(state: str, wanted: str) -> None:
    """Raise CertificateStateWrong unless `state` may become `wanted`."""
    if wanted not in CERTIFICATE_STEPS[state]:
        raise CertificateStateWrong(
            say("A certificate that is %(state)s cannot become %(wanted)s.", state=Term(state), wanted=Term(wanted)), state=state
        )
