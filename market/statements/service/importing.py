"""Import a prepared file: keep it in every case, once, and write what it has for each account of the co-op (money.md 7)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from market.kernel import audit, locks
from market.kernel.actor import Actor
from market.kernel.words import Term, say
from market.statements.errors import NotADraft
from market.statements.models import MoneyAccount, StatementFile
from market.statements.service.accounts import account_of
from market.statements.service.checking import findings, overlaps
from market.statements.service.csv_formats import mappings_of
from market.statements.service.fitting import LEFT_OUT, Share, divide
from market.statements.service.keeping import file_of, known_files, new_file, packed
from market.statements.service.preparing import Prepared, Unpacked, prepare_file
from market.statements.service.writing import stage, write

BALANCES_SHOWN = 100
"""Of so many statements in a file the sums are kept for the page."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file. `outcome`: imported, draft (a person must confirm), refused, or known (`file_id` is the first).

    `others` say the same of the other accounts that the file has statements of, where it was new.
    """

    file_id: UUID
    account_id: UUID
    outcome: str
    reason: str | None
    findings: Sequence[dict[str, Any]]
    new_lines: int = 0
    known_lines: int = 0
    others: tuple["Imported", ...] = ()


def import_file(
    session: Session, *, money_account_id: UUID, prepared: Prepared, actor: Actor, now: datetime, confirmed: bool = False
) -> Imported:
    """Import a file for one bank account, and say what became of it; a refusal is an outcome, so that the file is kept.

    Statements of other accounts of the same co-op go into those at once, each account for itself: what one of them refuses, or
    leaves as a draft, keeps back none of the others. Statements of accounts that the co-op has not registered are left out,
    and a finding says so. New lines are posted mirror against suspense. Findings that need a person leave a draft, unless
    `confirmed`, which is about the chosen account alone. Announces `statements.imported` for each account. Repeating it with
    the same bytes changes nothing, except that an account registered since gets its statements, that a draft which is now
    `confirmed` is imported, and that what was laid aside is read anew. Locks the accounts.
    """
    shares, left_out = divide(session, account_of(session, money_account_id), prepared)
    ids = [share.account.id for share in shares]
    locks.lock(session, MoneyAccount, ids)  # one import at a time: the chain of an account's statements is a sequence
    known = known_files(session, ids, prepared.sha256)
    original = next((file.original_id or file.id for file in known.values() if file.outcome != "refused"), None)
    done: list[Imported] = []
    written: list[tuple[Share, StatementFile]] = []
    staged = False
    for share in shares:
        file = known.get(share.account.id)
        meant = confirmed and share is shares[0]
        if file is not None and not (_readable_now(file, prepared) or (meant and file.outcome == "draft")):
            if prepared.refusal is None:
                file.findings = [each for each in file.findings if each["code"] not in LEFT_OUT] + left_out
            done.append(_known(file))
            continue
        file = file or new_file(session, share.account, prepared, actor=actor, now=now, came_as=original)
        original = original or file.original_id or file.id
        if not staged and share.refusal is None and overlaps(session, share.account, share.prepared):
            stage(session, prepared)
            staged = True
        if file.outcome in ("draft", "discarded"):  # with the word that it is meant: a person's act, as `confirm_file`
            file.decided_by, file.decided_at = (actor.label, now) if meant else (None, None)
        _decide(session, share, file, left_out, confirmed=meant)
        new = {"name": file.name, "sha256": file.sha256}
        audit.record(session, actor=actor, action=f"statements.{file.outcome}", subject_kind="statement_file",
                     subject_id=file.id, coop_id=file.coop_id, now=now, new=new)  # fmt: skip
        done.append(_outcome(file))
        if file.outcome == "imported":
            written.append((share, file))
    if written and not staged:
        stage(session, prepared)
    for share, file in written:
        write(session, share.account, file, share.prepared, actor)
    counted = {file.id: _outcome(file) for _, file in written}
    chosen, *others = [counted.get(each.file_id, each) for each in done]
    return replace(chosen, others=tuple(each for each in others if each.outcome != "known"))


def _decide(session: Session, share: Share, file: StatementFile, left_out: Sequence[dict[str, Any]], *, confirmed: bool) -> None:
    """Note on an account's row of a file what was found in its statements, and what becomes of them."""
    prepared = share.prepared
    found = [] if share.refusal else findings(session, share.account, prepared, came_at=file.uploaded_at)
    held = any(finding["hold"] for finding in found) and not confirmed
    file.outcome = "refused" if share.refusal else "draft" if held else "imported"
    file.reason, file.code = share.refusal or (None, None)
    file.format, file.findings, file.balances = prepared.format, [*found, *left_out], _balances(prepared)
    file.provisional_lines, file.read_bytes = prepared.provisional, prepared.size_bytes
    session.flush()


def _known(file: StatementFile) -> Imported:
    reason = say(
        "These are the same bytes as '%(name)s' of %(uploaded_at)s, which was: %(outcome)s.",
        name=file.name,
        uploaded_at=f"{file.uploaded_at:%Y-%m-%d}",
        outcome=Term(file.outcome),
    )
    return Imported(file.id, file.money_account_id, "known", reason, file.findings)


def _readable_now(file: StatementFile, prepared: Prepared) -> bool:
    """Return whether a known file is still to be read, or was laid aside, or refused for a reason that is gone: no mapping."""
    return file.outcome in ("waiting", "discarded") or (file.outcome == "refused" and prepared.refusal is None)


def _balances(prepared: Prepared) -> list[dict[str, Any]]:
    """Return per statement what must add up: opening + booked = closing."""
    return [
        {
            "number": each.number,
            "currency": each.currency,
            "lines": each.lines,
            "opening_minor": each.opening.minor if each.opening else None,
            "booked_minor": each.booked_minor,
            "closing_minor": each.closing.minor if each.closing else None,
            "difference_minor": each.difference_minor,
            "skipped": each.skipped,
        }
        for each in prepared.statements[:BALANCES_SHOWN]
    ]


def confirm_file(session: Session, *, file_id: UUID, actor: Actor, now: datetime) -> Imported:
    """Import a draft although something does not add up: a person's explicit act. Raises FileNotFound, NotADraft.

    What was not found yet when it came, because another file was imported since, is shown first: then it stays a draft.
    """
    file, account = _draft(session, file_id)
    body, mappings = packed(session, file), mappings_of(session, account.id)
    whole = prepare_file(Unpacked(body), name=file.name, currency=account.currency, mappings=mappings, packed=body)
    with whole as prepared:
        shares, _ = divide(session, account, prepared)
        stage(session, prepared)
        found, shown = findings(session, account, shares[0].prepared, came_at=file.uploaded_at), file.findings
        if {each["code"] for each in found if each["hold"]} - {each["code"] for each in shown}:
            file.findings = [*found, *(each for each in shown if each["code"] in LEFT_OUT)]
            return _outcome(file)
        file.outcome, file.decided_by, file.decided_at = "imported", actor.label, now
        audit.record(session, actor=actor, action="statements.confirmed", subject_kind="statement_file", subject_id=file.id,
                     coop_id=account.coop_id, now=now, new={"findings": [each["code"] for each in file.findings]})  # fmt: skip
        write(session, account, file, shares[0].prepared, actor)
    return _outcome(file)


def discard_file(session: Session, *, file_id: UUID, actor: Actor, now: datetime) -> None:
    """Lay a draft aside; its bytes stay. Raises FileNotFound, NotADraft."""
    file, account = _draft(session, file_id)
    file.outcome, file.decided_by, file.decided_at = "discarded", actor.label, now
    audit.record(session, actor=actor, action="statements.discarded", subject_kind="statement_file", subject_id=file.id,
                 coop_id=account.coop_id, now=now)  # fmt: skip


def _draft(session: Session, file_id: UUID) -> tuple[StatementFile, MoneyAccount]:
    file = file_of(session, file_id)
    account = account_of(session, file.money_account_id)
    locks.lock(session, MoneyAccount, [account.id])
    locks.lock_one(session, StatementFile, file.id)
    if file.outcome != "draft":
        raise NotADraft(say("This file is %(outcome)s already.", outcome=Term(file.outcome)))
    return file, account


def _outcome(file: StatementFile) -> Imported:
    return Imported(file.id, file.money_account_id, file.outcome, file.reason, file.findings, file.new_lines, file.known_lines)
