"""Write a camt.053.001.08 statement, as banks send it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from lxml import etree

from market.kernel.money import Money

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"


@dataclass(frozen=True, slots=True)
class Booking:
    """One movement on the account; `amount_minor` is signed, a credit is positive."""

    booked_on: date
    amount_minor: int
    bank_ref: str
    code: tuple[str, str, str]
    name: str = ""
    iban: str = ""
    end_to_end: str = ""
    reference: str = ""
    text: str = ""
    message_id: str = ""
    payment_info_id: str = ""
    return_reason: str = ""
    parts: tuple["Booking", ...] = ()


@dataclass(frozen=True, slots=True)
class Head:
    """What stands above the bookings."""

    iban: str
    currency: str
    holder: str
    number: int
    from_on: date
    to_on: date
    opening_minor: int


def write_statement(head: Head, bookings: Iterable[Booking]) -> bytes:
    """Return the statement; equal input gives equal bytes."""
    bookings = list(bookings)
    root = etree.Element("Document", nsmap={None: NAMESPACE})  # type: ignore[dict-item]  # a default namespace has no name
    body = _add(root, "BkToCstmrStmt")
    identifier = f"{head.iban[-8:]}-{head.number:06d}"
    header = _add(body, "GrpHdr")
    _add(header, "MsgId", identifier)
    _add(header, "CreDtTm", f"{head.to_on}T23:00:00Z")
    statement = _add(body, "Stmt")
    _add(statement, "Id", identifier)
    _add(statement, "ElctrncSeqNb", str(head.number))
    _add(statement, "CreDtTm", f"{head.to_on}T23:00:00Z")
    period = _add(statement, "FrToDt")
    _add(period, "FrDtTm", f"{head.from_on}T00:00:00Z")
    _add(period, "ToDtTm", f"{head.to_on}T23:00:00Z")
    account = _add(statement, "Acct")
    _add(_add(account, "Id"), "IBAN", head.iban)
    _add(account, "Ccy", head.currency)
    _add(_add(account, "Ownr"), "Nm", head.holder)
    closing = head.opening_minor + sum(each.amount_minor for each in bookings)
    for code, minor, on in (("OPBD", head.opening_minor, head.from_on), ("CLBD", closing, head.to_on)):
        balance = _add(statement, "Bal")
        _add(_add(_add(balance, "Tp"), "CdOrPrtry"), "Cd", code)
        _amount(balance, minor, head.currency)
        _add(_add(balance, "Dt"), "Dt", on.isoformat())
    _summary(statement, bookings, head.currency)
    for booking in bookings:
        _entry(statement, booking, head.currency)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))


def _summary(statement: etree._Element, bookings: list[Booking], currency: str) -> None:
    summary = _add(statement, "TxsSummry")
    for name, sign in (("TtlCdtNtries", 1), ("TtlDbtNtries", -1)):
        amounts = [abs(each.amount_minor) for each in bookings if (each.amount_minor >= 0) == (sign > 0)]
        totals = _add(summary, name)
        _add(totals, "NbOfNtries", str(len(amounts)))
        _add(totals, "Sum", f"{Money(sum(amounts), currency).decimal:f}")


def _entry(statement: etree._Element, booking: Booking, currency: str) -> None:
    entry = _add(statement, "Ntry")
    _amount(entry, booking.amount_minor, currency)
    _add(_add(entry, "Sts"), "Cd", "BOOK")
    _add(_add(entry, "BookgDt"), "Dt", booking.booked_on.isoformat())
    _add(_add(entry, "ValDt"), "Dt", booking.booked_on.isoformat())
    _add(entry, "AcctSvcrRef", booking.bank_ref)
    domain = _add(_add(entry, "BkTxCd"), "Domn")
    _add(domain, "Cd", booking.code[0])
    family = _add(domain, "Fmly")
    _add(family, "Cd", booking.code[1])
    _add(family, "SubFmlyCd", booking.code[2])
    details = _add(entry, "NtryDtls")
    if booking.parts:
        batch = _add(details, "Btch")
        _add(batch, "PmtInfId", booking.payment_info_id)
        _add(batch, "NbOfTxs", str(len(booking.parts)))
    for part in booking.parts or (booking,):
        _details(details, part, currency)


def _details(parent: etree._Element, booking: Booking, currency: str) -> None:
    details = _add(parent, "TxDtls")
    references = _add(details, "Refs")
    for name, value in (
        ("MsgId", booking.message_id),
        ("PmtInfId", booking.payment_info_id),
        ("EndToEndId", booking.end_to_end or "NOTPROVIDED"),
    ):
        if value:
            _add(references, name, value)
    _amount(details, booking.amount_minor, currency)
    # In a return the parties keep their roles: our payee stays the creditor.
    role = "Cdtr" if (booking.amount_minor < 0) != bool(booking.return_reason) else "Dbtr"
    if booking.name:
        parties = _add(details, "RltdPties")
        _add(_add(_add(parties, role), "Pty"), "Nm", booking.name)
        if booking.iban:
            _add(_add(_add(parties, f"{role}Acct"), "Id"), "IBAN", booking.iban)
    if booking.text or booking.reference:
        remittance = _add(details, "RmtInf")
        if booking.text:
            _add(remittance, "Ustrd", booking.text)
        if booking.reference:
            structured = _add(_add(remittance, "Strd"), "CdtrRefInf")
            _add(_add(_add(structured, "Tp"), "CdOrPrtry"), "Cd", "SCOR")
            _add(structured, "Ref", booking.reference)
    if booking.return_reason:
        _add(_add(_add(details, "RtrInf"), "Rsn"), "Cd", booking.return_reason)


def _amount(parent: etree._Element, minor: int, currency: str) -> None:
    _add(parent, "Amt", f"{Money(abs(minor), currency).decimal:f}").set("Ccy", currency)
    _add(parent, "CdtDbtInd", "CRDT" if minor >= 0 else "DBIT")


def _add(parent: etree._Element, tag: str, text: str | None = None) -> etree._Element:
    element = etree.SubElement(parent, f"{{{NAMESPACE}}}{tag}")
    element.text = text
    return element
