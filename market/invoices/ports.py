"""What invoices need from the outside: a printer, and the facts it prints, as they are frozen."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol, Self


@dataclass(frozen=True, slots=True)
class PaperLine:
    """What is invoiced or credited. `title` as the buyer ordered it, or empty where `supply` alone says what it is.

    Amounts are minor units; `net_minor` is without tax. Quantities and prices are plain decimals.
    """

    title: str
    supply: str
    quantity: str
    unit: str
    unit_net: str
    net_minor: int
    tax_minor: int


@dataclass(frozen=True, slots=True)
class TaxLine:
    """Tax at one rate on one kind of supply: goods, premium, or charges (the fees of co-op, transport and payment)."""

    rate: str
    supply: str
    net_minor: int
    tax_minor: int


@dataclass(frozen=True, slots=True)
class TransferBox:
    """Where a transfer goes that is still awaited."""

    holder: str
    iban: str
    bic: str | None
    reference: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Paper:
    """An invoice, a credit note, or a request to pay, whole: nothing else is read to print it.

    `number` is empty on a request, `corrects` names the invoice of a credit note, `reason` says why money goes back.
    """

    kind: str
    language: str
    number: str
    corrects: str
    reason: str
    issued_on: str
    order_number: str
    issuer: str
    issuer_address: tuple[str, ...]
    buyer: str
    buyer_address: tuple[str, ...]
    currency: str
    lines: tuple[PaperLine, ...]
    taxes: tuple[TaxLine, ...]
    net_minor: int
    tax_minor: int
    total_minor: int
    transfer: TransferBox | None = None

    @property
    def day(self) -> date:
        """The day it was issued, in the co-op's time zone."""
        return date.fromisoformat(self.issued_on)

    @classmethod
    def thaw(cls, facts: Mapping[str, Any]) -> Self:
        """Return the paper that was frozen as `facts` (`dataclasses.asdict`)."""
        return cls(
            **{
                **facts,
                "issuer_address": tuple(facts["issuer_address"]),
                "buyer_address": tuple(facts["buyer_address"]),
                "lines": tuple(PaperLine(**line) for line in facts["lines"]),
                "taxes": tuple(TaxLine(**line) for line in facts["taxes"]),
                "transfer": TransferBox(**facts["transfer"]) if facts["transfer"] else None,
            }
        )


class Printer(Protocol):
    """Prints invoices."""

    def invoice(self, paper: Paper) -> bytes:
        """Return the paper as PDF in its language: equal papers give equal bytes."""
