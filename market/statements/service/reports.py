"""Take a bank's report about a payment file of ours (pain.002): kept like a statement, applied to the payouts it names."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from market.kernel import audit, locks
from market.kernel.actor import Actor
from market.kernel.words import N_, Term, say
from market.payouts import service as payouts
from market.payouts.errors import FileNotFound
from market.statements.models import MoneyAccount
from market.statements.rules.readers.pain002 import ACCEPTED, REJECTED, StatusReport, read_pain002
from market.statements.rules.readers.source import Source
from market.statements.rules.shapes import Unreadable
from market.statements.service.accounts import account_of
from market.statements.service.importing import Imported, import_file
from market.statements.service.keeping import known_files, new_file
from market.statements.service.preparing import Prepared, Unpacked

SHOWN = 100
"""So many rejected payments of a report are listed one by one on its page."""


def import_prepared(
    session: Session, *, money_account_id: UUID, prepared: Prepared, actor: Actor, now: datetime, confirmed: bool = False
) -> Imported:
    """Import what a file turned out to be: a statement, or a report about payments. See `import_file`."""
    if prepared.code != "statements.payment_status":
        return import_file(
            session, money_account_id=money_account_id, prepared=prepared, actor=actor, now=now, confirmed=confirmed
        )
    return _import_report(session, account_of(session, money_account_id), prepared, actor, now)


def _import_report(session: Session, account: MoneyAccount, prepared: Prepared, actor: Actor, now: datetime) -> Imported:
    locks.lock(session, MoneyAccount, [account.id])
    known = known_files(session, [account.id], prepared.sha256).get(account.id)
    if known is not None and known.outcome not in ("waiting", "refused"):
        return Imported(known.id, account.id, "known", N_("The bank's report was taken before."), known.findings)
    file = known or new_file(session, account, prepared, actor=actor, now=now)
    file.format, file.read_bytes = "pain.002", prepared.size_bytes
    try:
        report = read_pain002(Source(Unpacked(prepared.body_zlib)))
        with session.begin_nested():
            taken = _apply(session, account, report, actor, now)
        file.outcome, file.reason, file.code, file.findings = "imported", None, None, _findings(report, taken)
    except Unreadable as refusal:
        file.outcome, file.reason, file.code = "refused", str(refusal), refusal.code
    except FileNotFound as refusal:
        file.outcome, file.reason, file.code = "refused", refusal.detail.rstrip("."), "statements.unknown_payment_file"
    session.flush()
    audit.record(session, actor=actor, action=f"statements.report_{file.outcome}", subject_kind="statement_file",
                 subject_id=file.id, coop_id=account.coop_id, now=now, new={"sha256": file.sha256})  # fmt: skip
    return Imported(file.id, account.id, file.outcome, file.reason, file.findings)


def _apply(session: Session, account: MoneyAccount, report: StatusReport, actor: Actor, now: datetime) -> payouts.StatusTaken:
    return payouts.take_status(
        session,
        coop_id=account.coop_id,
        message_id=report.message_id,
        whole=_word(report.status, report.reason, report.text) if report.status else None,
        payments={each.reference: _word(each.status, each.reason, each.text) for each in report.payments},
        actor=actor,
        now=now,
    )


def _word(status: str, reason: str, text: str) -> payouts.BankStatus:
    accepted = True if status in ACCEPTED else False if status == REJECTED else None
    return payouts.BankStatus(accepted, " ".join(filter(None, [reason, text])) or status)


def _findings(report: StatusReport, taken: payouts.StatusTaken) -> list[dict[str, Any]]:
    reasons = {each.reference: " ".join(filter(None, [each.reason, each.text])) for each in report.payments}
    whole = " ".join(filter(None, [report.reason, report.text]))

    def listed(code: str, references: Sequence[str], words: str) -> list[dict[str, Any]]:
        return [
            {"code": code, "hold": False, "statement": report.message_id,
             "text": say(words, payment=each, reason=reasons.get(each) or whole or Term(N_("no reason given")))}
            for each in references[:SHOWN]
        ]  # fmt: skip

    counted = say(
        "%(accepted)s accepted, %(rejected)s rejected, %(known)s known before",
        accepted=len(taken.accepted),
        rejected=len(taken.rejected),
        known=len(taken.known),
    )
    found = [{"code": "payments_accepted", "text": counted, "hold": False, "statement": report.message_id}]
    found += listed("payment_rejected", taken.rejected, N_("payment %(payment)s was rejected: %(reason)s"))
    return found + listed(
        "payment_puzzling",
        taken.puzzling,
        N_("payment %(payment)s does not stand here as the bank says (%(reason)s): look at it"),
    )
