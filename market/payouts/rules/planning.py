"""Turn what is owed into payouts: one per payee and currency, with what is netted and what must wait (pure).

A claim (what a payee owes after a refund, E20) nets once per payout, up to half of it, and is shown on the statement:
nobody's whole harvest disappears in one old claim.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from uuid import UUID

from market.kernel.errors import DomainError
from market.kernel.words import say
from market.payouts.errors import DetailsRefused
from market.payouts.rules.accounts import check_bank_account
from market.payouts.rules.latin import to_latin

CLAIM_CAP_PERCENT = 50
SOURCES = {"sepa": "bank:1", "stripe": "stripe:1", "cash": "cash:1"}


@dataclass(frozen=True, slots=True)
class Due:
    """One payable that may be paid."""

    id: UUID
    payee_id: UUID
    currency: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Details:
    """Where a payee is paid; frozen into the payout, so that a later change of the account changes no payout."""

    account_id: str
    rail: str
    currency: str
    holder: str
    iban: str = ""
    bic: str = ""
    stripe_account: str = ""
    street: str = ""
    building: str = ""
    postcode: str = ""
    town: str = ""
    country: str = ""

    def frozen(self) -> dict[str, str]:
        """Return the details as they are kept in the payout (a run of 100,000 asks for this 300,000 times)."""
        return dict(zip(_NAMES, _values(self), strict=True))


_NAMES = tuple(field.name for field in fields(Details))
_values = attrgetter(*_NAMES)


@dataclass(frozen=True, slots=True)
class Planned:
    """One payout to be made: gross = what is owed, deducted = netted claim, amount = what the payee gets."""

    payee_id: UUID
    currency: str
    details: Details
    gross_minor: int
    deducted_minor: int
    payables: tuple[tuple[UUID, int], ...]

    @property
    def amount_minor(self) -> int:
        """What the payee gets."""
        return self.gross_minor - self.deducted_minor


@dataclass(frozen=True, slots=True)
class Skipped:
    """A payee who cannot be paid now, why, and how much waits: shown to staff, so that nobody is forgotten."""

    payee_id: UUID
    currency: str
    amount_minor: int
    reason: str
    payables: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do."""

    payouts: tuple[Planned, ...]
    skipped: tuple[Skipped, ...]


def make_plan(due: Iterable[Due], *, details: Mapping[tuple[UUID, str], Details], claims: Mapping[tuple[UUID, str], int]) -> Plan:
    """Group payables by payee and currency, check where each is paid, net claims; ordered by payee and currency."""
    groups: dict[tuple[UUID, str], list[Due]] = {}
    for payable in due:
        groups.setdefault((payable.payee_id, payable.currency), []).append(payable)
    payouts: list[Planned] = []
    skipped: list[Skipped] = []
    for (payee_id, currency), rows in sorted(groups.items()):
        rows.sort(key=lambda row: row.id)
        gross = sum(row.amount_minor for row in rows)
        account = details.get((payee_id, currency))
        reason = why_not(account, currency)
        if account is None or reason:
            skipped.append(Skipped(payee_id, currency, gross, reason or "", tuple(row.id for row in rows)))
            continue
        deducted = min(claims.get((payee_id, currency), 0), gross * CLAIM_CAP_PERCENT // 100)
        payables = tuple((row.id, row.amount_minor) for row in rows)
        payouts.append(Planned(payee_id, currency, account, gross, max(deducted, 0), payables))
    return Plan(tuple(payouts), tuple(skipped))


def why_not(details: Details | None, currency: str) -> str | None:
    """Return why nobody can be paid there, in words for staff; None when the details are good."""
    if details is None:
        return f"No confirmed account for {currency}. Enter one, and let a second person confirm it."
    try:
        if details.rail == "sepa":
            _check_sepa(details)
        if details.rail == "stripe" and not details.stripe_account.startswith("acct_"):
            raise DetailsRefused("A Stripe account begins with acct_.", pointer="/stripe_account")
    except DomainError as refusal:
        return refusal.detail
    return None


def _check_sepa(details: Details) -> None:
    if details.currency != "EUR":
        raise DetailsRefused(
            say("A SEPA transfer carries euros, not %(currency)s.", currency=details.currency), pointer="/currency"
        )
    account = check_bank_account(iban=details.iban, bic=details.bic)
    if not account.in_sepa:
        raise DetailsRefused(say("SEPA does not reach %(country)s.", country=account.country), pointer="/iban")
    name = to_latin(details.holder)
    if not 1 <= len(name) <= 70:
        raise DetailsRefused("The account holder's name must have 1 to 70 letters.", pointer="/holder")
    for text, longest in ((details.street, 70), (details.building, 16), (details.postcode, 16), (details.town, 35)):
        if len(to_latin(text)) > longest:
            raise DetailsRefused(
                say("'%(text)s' is longer than the %(longest)s letters that a bank carries.", text=text, longest=longest),
                pointer="/street",
            )


def list_sha256(payouts: Sequence[Planned]) -> str:
    """Return the fingerprint of the list that a person approves: who, how much, where to."""
    digest = hashlib.sha256()
    for row in payouts:
        line = [str(row.payee_id), row.currency, str(row.amount_minor), str(row.deducted_minor), *_values(row.details)]
        digest.update(json.dumps(line, ensure_ascii=False).encode() + b"\n")
    return digest.hexdigest()


def totals(payouts: Iterable[Planned]) -> dict[str, dict[str, list[int]]]:
    """Return count and sum per rail and currency: `{"sepa": {"EUR": [2, 6585]}}`."""
    result: dict[str, dict[str, list[int]]] = {}
    for row in payouts:
        line = result.setdefault(row.details.rail, {}).setdefault(row.currency, [0, 0])
        line[0] += 1
        line[1] += row.amount_minor
    return result
