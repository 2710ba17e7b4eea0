"""Write an ISO 20022 credit transfer file: pain.001.001.09, or .03 for banks that still ask for it (money.md 6.2).

Own writer, because a file that moves money must be the same bytes each time it is written from the same run, must
refuse what it cannot carry instead of cutting it, and must carry structured addresses, which banks ask for since
November 2026. Names and addresses pass through `latin.to_latin`; identifiers must already fit.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

from lxml import etree

from market.kernel.ids import derived_id
from market.kernel.money import Money
from market.kernel.words import Term, say
from market.payouts.errors import FileRefused
from market.payouts.rules.latin import to_latin

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:"
OLD = "pain.001.001.03"
LARGEST_MINOR = 99_999_999_999  # 999,999,999.99 EUR: the limit of the SEPA rulebook
_IDENTIFIER = re.compile(r"(?!/)(?!.*//)[A-Za-z0-9/\-?:().,'+ ]{1,35}(?<!/)")


@dataclass(frozen=True, slots=True)
class Address:
    """A structured address; only town and country must be there."""

    town: str
    country: str
    street: str | None = None
    building: str | None = None
    postcode: str | None = None


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody with an account: the payer of a file or the payee of one transfer."""

    name: str
    iban: str
    bic: str | None = None
    address: Address | None = None


@dataclass(frozen=True, slots=True)
class CreditTransfer:
    """One payment. `reference` is an RF creditor reference (ISO 11649); it is also the end-to-end id."""

    number: str
    payout_id: UUID
    money: Money
    creditor: Party
    reference: str


@dataclass(frozen=True, slots=True)
class CreditTransferFile:
    """One file: one payer's account, one currency, one execution day.

    `created_at` is the instant of the approval and never the clock, so that a second writing gives equal bytes. `purpose` is
    an external purpose code of ISO 20022, or empty.
    """

    message_id: str
    created_at: datetime
    execute_on: date
    debtor: Party
    transfers: Sequence[CreditTransfer]
    version: str = "pain.001.001.09"
    batch_booking: bool = False
    purpose: str = ""


def uetr_of(payout_id: UUID) -> UUID:
    """Return the unique end-to-end transaction reference of a payout.

    The schema demands a UUID of version 4 and our ids are version 7, so it is derived from the id.
    """
    return derived_id(f"uetr:{payout_id}")


def write_pain001(order: CreditTransferFile) -> bytes:
    """Return the file as UTF-8 XML. Raises FileRefused when something does not fit: nothing is cut or left out."""
    if not order.transfers:
        raise FileRefused("The file would hold no payment.")
    currencies = {transfer.money.currency for transfer in order.transfers}
    if len(currencies) > 1:
        raise FileRefused("A bank file holds one currency only.", currencies=sorted(currencies))
    count = str(len(order.transfers))
    total = _amount(Money(sum(transfer.money.minor for transfer in order.transfers), currencies.pop()))
    message_id = _identifier(order.message_id)

    namespace, old = NAMESPACE + order.version, order.version == OLD
    root = etree.Element(f"{{{namespace}}}Document", nsmap={None: namespace})  # type: ignore[dict-item]
    body = _add(root, "CstmrCdtTrfInitn")
    header = _add(body, "GrpHdr")
    _add(header, "MsgId", message_id)
    _add(header, "CreDtTm", order.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    _add(header, "NbOfTxs", count)
    _add(header, "CtrlSum", total)
    _add(_add(header, "InitgPty"), "Nm", _text(order.debtor.name, 70, "name"))

    batch = _add(body, "PmtInf")
    _add(batch, "PmtInfId", message_id)
    _add(batch, "PmtMtd", "TRF")
    _add(batch, "BtchBookg", "true" if order.batch_booking else "false")
    _add(batch, "NbOfTxs", count)
    _add(batch, "CtrlSum", total)
    _add(_add(_add(batch, "PmtTpInf"), "SvcLvl"), "Cd", "SEPA")
    day = _add(batch, "ReqdExctnDt")
    (day if old else _add(day, "Dt")).text = order.execute_on.isoformat()
    _party(batch, "Dbtr", order.debtor)
    _account(batch, "DbtrAcct", order.debtor)
    agent = _add(_add(batch, "DbtrAgt"), "FinInstnId")
    if order.debtor.bic:
        _add(agent, "BIC" if old else "BICFI", order.debtor.bic)
    else:
        _add(_add(agent, "Othr"), "Id", "NOTPROVIDED")
    _add(batch, "ChrgBr", "SLEV")
    for transfer in order.transfers:
        _transfer(batch, transfer, order)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


def _transfer(batch: etree._Element, transfer: CreditTransfer, order: CreditTransferFile) -> None:
    if transfer.money.minor > LARGEST_MINOR:
        raise FileRefused("One SEPA transfer carries at most 999,999,999.99.", amount_minor=transfer.money.minor)
    entry = _add(batch, "CdtTrfTxInf")
    ids = _add(entry, "PmtId")
    _add(ids, "InstrId", _identifier(transfer.number))
    _add(ids, "EndToEndId", _identifier(transfer.reference))
    old = order.version == OLD
    if not old:  # the older version has no place for it
        _add(ids, "UETR", str(uetr_of(transfer.payout_id)))
    _add(_add(entry, "Amt"), "InstdAmt", _amount(transfer.money)).set("Ccy", transfer.money.currency)
    if transfer.creditor.bic:
        _add(_add(_add(entry, "CdtrAgt"), "FinInstnId"), "BIC" if old else "BICFI", transfer.creditor.bic)
    _party(entry, "Cdtr", transfer.creditor)
    _account(entry, "CdtrAcct", transfer.creditor)
    if order.purpose:
        _add(_add(entry, "Purp"), "Cd", order.purpose)
    reference = _add(_add(_add(entry, "RmtInf"), "Strd"), "CdtrRefInf")
    _add(_add(_add(reference, "Tp"), "CdOrPrtry"), "Cd", "SCOR")
    _add(reference, "Ref", transfer.reference)


def _party(parent: etree._Element, tag: str, party: Party) -> None:
    element = _add(parent, tag)
    _add(element, "Nm", _text(party.name, 70, "name"))
    if (address := party.address) is None:
        return
    lines = _add(element, "PstlAdr")
    for name, value, longest in (
        ("StrtNm", address.street, 70),
        ("BldgNb", address.building, 16),
        ("PstCd", address.postcode, 16),
        ("TwnNm", address.town, 35),
    ):
        if value and value.strip():
            _add(lines, name, _text(value, longest, "address"))
    _add(lines, "Ctry", address.country)


def _account(parent: etree._Element, tag: str, party: Party) -> None:
    _add(_add(_add(parent, tag), "Id"), "IBAN", party.iban)


def _add(parent: etree._Element, tag: str, text: str | None = None) -> etree._Element:
    element = etree.SubElement(parent, f"{{{etree.QName(parent).namespace}}}{tag}")
    element.text = text
    return element


def _amount(money: Money) -> str:
    if money.minor <= 0:
        raise FileRefused("Only amounts above zero can be paid.", amount_minor=money.minor)
    return f"{money.decimal:f}"


def _identifier(text: str) -> str:
    if _IDENTIFIER.fullmatch(text) is None:
        raise FileRefused(
            say("'%(text)s' cannot be an identifier in a bank file (35 plain characters).", text=text), identifier=text
        )
    return text


def _text(text: str, longest: int, field: str) -> str:
    latin = to_latin(text)
    if not latin:
        raise FileRefused(say("The %(field)s is empty.", field=Term(field)), pointer=f"/{field}")
    if len(latin) > longest:
        raise FileRefused(
            say(
                "'%(latin)s' has %(num)s characters, a bank file carries %(longest)s. Enter a shorter %(field)s.",
                latin=latin,
                num=len(latin),
                longest=longest,
                field=Term(field),
            ),
            pointer=f"/{field}",
            length=len(latin),
            longest=longest,
        )
    return latin
