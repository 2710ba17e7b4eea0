"""Statements: lines read, loaded and posted; put through all rules, matches written and posted (targets.md, money.md 8.4).

A year of a busy co-op: payouts on their way, and a statement about them as untidy as real ones (bench.statement_noise).
BENCH_LINES says how many.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID
from xml.sax.saxutils import escape

import psycopg
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bench.site import Site
from bench.statement_noise import FEE, FIRST_DAY, Noise, make_noise
from bench.table import Row
from config import Settings
from market.cli.migrations import sqlalchemy_url
from market.http.db import unit_of_work
from market.kernel import tenancy
from market.kernel.actor import system
from market.kernel.ids import derived_id, series
from market.kernel.memory import give_back
from market.kernel.money import Money
from market.ledger import service as ledger
from market.statements import service
from market.statements.match_models import StatementMatch, StatementSuggestion
from market.statements.models import StatementFile
from market.statements.rules.claims import Claim, Target
from market.wiring import bare_app
from workers.base import COLLECT, now
from workers.statements import match, read

NOW = datetime(2026, 12, 31, tzinfo=UTC)
COOP, PRODUCER, RUN = (derived_id(f"bench statements {name}") for name in ("coop", "producer", "run"))
IBAN = "DE89370400440532013000"
LINES_PER_FILE = 250_000
ACTOR = system("bench")


@dataclass(frozen=True)
class Figures:
    """What one run took, in seconds, and the largest memory of the process that did it, in MB, after each step."""

    loaded: float
    matched: float
    matches: int
    suggestions: int
    memory: tuple[float, float]


def measure(site: Site) -> list[Row]:
    """Receive the files as the web process does, read them and match their lines as the two processes of the worker do."""
    lines = int(os.environ.get("BENCH_LINES", "20000" if site.plan.short else "1000000"))
    noise = make_noise(20261125, lines, days=330)
    _payouts(site.database_url, noise)
    count = len(noise.claims)
    with TemporaryDirectory(prefix="bench-") as folder:
        files = _write_files(Path(folder), noise)
        del noise
        did = _carry_out(site.environ, files)
    total = 1_000_000 * (did.loaded + did.matched) / count
    note = f"{count:,} lines; a million loaded, matched and written = {total:.0f} s (goal ≤ 180 s); memory {did.memory[0]:.0f} MB"
    made = f"{did.matches:,} matches made and posted, {did.suggestions:,} suggestions; memory {did.memory[1]:.0f} MB"
    return [
        Row("statement lines read, checked, loaded and posted", count / did.loaded, note=note),
        Row("statement lines through all rules, matches and suggestions written", count / did.matched, note=made),
    ]


def _carry_out(environ: dict[str, str], files: list[tuple[str, int]]) -> Figures:
    """Send the files through three processes: one receives, two work; each step says how long it took as it ends."""
    spawn = get_context("spawn")
    with (
        ProcessPoolExecutor(1, mp_context=spawn, initializer=_start, initargs=(environ,)) as web,
        ProcessPoolExecutor(2, mp_context=spawn, initializer=_start, initargs=(environ,)) as worker,
    ):
        account_id = web.submit(_open).result()
        list(worker.map(_idle, range(4)))  # both have started
        begun = time.perf_counter()
        reads = []
        for path, _ in files:
            reads.append(worker.submit(_read, web.submit(_receive, account_id, path).result()))
        done = [each.result() for each in reads]
        loaded = time.perf_counter() - begun
        if [(outcome, new) for outcome, new, _ in done] != [("imported", lines) for _, lines in files]:
            raise RuntimeError(f"not all files were imported: {done}")
        most = max(memory for *_, memory in done)
        print(f"    loaded in {loaded:.1f} s, {most:.0f} MB", flush=True)
        matched, matches, suggestions, memory = worker.submit(_match, account_id).result()
    print(f"    matched in {matched:.1f} s, {memory:.0f} MB", flush=True)
    return Figures(loaded, matched, matches, suggestions, (most, memory))


_app: Flask | None = None


def _start(environ: dict[str, str]) -> None:
    """Begin as a worker process does."""
    global _app
    give_back()
    settings = Settings.from_env(environ | {"DATABASE_URL": sqlalchemy_url(environ["DATABASE_URL"])})
    _app = bare_app(settings)
    gc.freeze()
    gc.set_threshold(*COLLECT)


@contextmanager
def _inside() -> Iterator[None]:
    assert _app is not None
    with _app.app_context(), tenancy.scoped(tenancy.EVERYTHING):
        yield


def _idle(_: int) -> None:
    time.sleep(0.2)


def _open() -> UUID:
    with _inside(), unit_of_work() as session:
        return _account(session)


def _receive(account_id: UUID, path: str) -> UUID:
    with _inside(), Path(path).open("rb") as content:
        name = Path(path).name
        return service.receive_file(unit_of_work, money_account_id=account_id, stream=content, name=name, actor=ACTOR, now=now())


def _read(file_id: UUID) -> tuple[str, int, float]:
    """Return what became of a file, its new lines, and the most memory the process held."""
    with _inside():
        read(file_id=str(file_id))
        with unit_of_work() as session:
            file = session.get_one(StatementFile, file_id)
            return file.outcome, file.new_lines, _peak_mb()


def _match(account_id: UUID) -> tuple[float, int, int, float]:
    """Return the seconds it took, the matches and the suggestions, and the most memory the process held."""
    with _inside():
        begun = time.perf_counter()
        match(money_account_id=str(account_id))
        matched = time.perf_counter() - begun
        with unit_of_work() as session:
            matches = session.execute(select(func.count()).select_from(StatementMatch)).scalar_one()
            suggestions = session.execute(select(func.count()).select_from(StatementSuggestion)).scalar_one()
    return matched, matches, suggestions, _peak_mb()


def _peak_mb() -> float:
    """Return the most memory this process held; `getrusage` would count what its parent held at the fork."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), 0.0)


def _account(session: Session) -> UUID:
    ledger.ensure_book(session, coop_id=COOP, base_currency="EUR")
    account = service.open_account(
        session,
        coop_id=COOP,
        name="bench",
        iban=IBAN,
        currency="EUR",
        opened_on=FIRST_DAY,
        opening=Money(10**12, "EUR"),
        actor=ACTOR,
        now=NOW,
    )
    account.known_fees = [FEE]
    return account.id


def _write_files(folder: Path, noise: Noise) -> list[tuple[str, int]]:
    """Write the noise as files that continue each other; return their paths and how many lines each has."""
    files: list[tuple[str, int]] = []
    balance = 10**12
    rest = iter(sorted(_lines(noise), key=lambda claim: claim.booked_on))
    while chunk := list(islice(rest, LINES_PER_FILE)):
        path = folder / f"{len(files) + 1}.xml"
        path.write_bytes(_camt(len(files) + 1, balance, chunk))
        balance += sum(claim.amount_minor for claim in chunk)
        files.append((str(path), len(chunk)))
    return files


def _lines(noise: Noise) -> Iterator[Claim]:
    """Whole lines only: the parts of a batch become lines of their own here."""
    yield from noise.claims


def _camt(number: int, opening: int, claims: list[Claim]) -> bytes:
    """Write a statement by hand: the writer of the simulator builds a tree, which a million lines do not need."""
    closing = opening + sum(claim.amount_minor for claim in claims)
    day = claims[-1].booked_on
    out = [
        '<?xml version="1.0"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><GrpHdr><MsgId>B'
        f"</MsgId></GrpHdr><Stmt><Id>B{number}</Id><Acct><Id><IBAN>{IBAN}</IBAN></Id><Ccy>EUR</Ccy></Acct>"
    ]
    for code, minor in (("OPBD", opening), ("CLBD", closing)):
        out.append(f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{_amount(minor)}<Dt><Dt>{day}</Dt></Dt></Bal>")
    out += [_entry(number, n, claim) for n, claim in enumerate(claims)]
    out.append("</Stmt></BkToCstmrStmt></Document>")
    return "".join(out).encode()


def _amount(minor: int) -> str:
    sign = "CRDT" if minor >= 0 else "DBIT"
    return f'<Amt Ccy="EUR">{abs(minor) // 100}.{abs(minor) % 100:02d}</Amt><CdtDbtInd>{sign}</CdtDbtInd>'


def _entry(number: int, n: int, claim: Claim) -> str:
    party = "Dbtr" if (claim.amount_minor > 0) != claim.returned else "Cdtr"
    account = f"<{party}Acct><Id><IBAN>{claim.account}</IBAN></Id></{party}Acct>" if claim.account else ""
    returned = "<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>" if claim.returned else ""
    refs = "".join(f"<PmtInfId>{batch}</PmtInfId>" for batch in claim.batches)
    text = f"{' '.join(claim.references) or 'thank you'} {claim.text}"
    return (
        f"<Ntry>{_amount(claim.amount_minor)}<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{claim.booked_on}</Dt></BookgDt>"
        f"<AcctSvcrRef>{number}-{n}</AcctSvcrRef><NtryDtls><TxDtls><Refs>{refs}</Refs><RltdPties><{party}><Pty><Nm>"
        f"{escape(claim.name)}</Nm></Pty></{party}>{account}</RltdPties><RmtInf><Ustrd>{escape(text)}</Ustrd></RmtInf>"
        f"{returned}</TxDtls></NtryDtls></Ntry>"
    )


_PAYABLE = "id, coop_id, payee_id, currency, amount_minor, kind, due_on, source_kind, source_id, state, taken_by"
_PAYOUT = (
    "id, coop_id, run_id, number, payee_id, rail, currency, gross_minor, amount_minor, source_account, details, reference,"
    " state, first_sent_at, changed_at"
)
_COOP = (
    "INSERT INTO coop (id, slug, name, country, currency, created_at, iban) VALUES (%s, 'bench-bank', 'B', 'DE', 'EUR', %s, %s)"
)
_PRODUCER = "INSERT INTO producer (id, coop_id, slug, name, created_at) VALUES (%s, %s, 'bench-bank', 'B', %s)"
_RUN = (
    "INSERT INTO payout_run (id, coop_id, number, state, due_by, execute_on, totals, skipped, list_sha256, prepared_by,"
    " prepared_at, approved_by, approved_at) VALUES (%s, %s, 900000001, 'approved', %s, %s, '{}', '[]', %s, 'a', %s, 'b', %s)"
)


def _payouts(database_url: str, noise: Noise) -> None:
    """Write the payouts of the noise as sent ones, with their payables, by COPY; payments of buyers are left out.

    In the order of their days and with ids that rise with it, as the product makes them.
    """
    targets = sorted((target for target in noise.targets if target.kind == "payout"), key=lambda target: target.since)
    ids, payables = list(islice(series(), len(targets))), list(islice(series(), len(targets)))
    with psycopg.connect(database_url) as connection, connection.cursor() as cursor:
        cursor.execute(_COOP, (COOP, NOW, IBAN))
        cursor.execute(_PRODUCER, (PRODUCER, COOP, NOW))
        cursor.execute(_RUN, (RUN, COOP, FIRST_DAY, FIRST_DAY, "0" * 64, NOW, NOW))
        with cursor.copy(f"COPY payable ({_PAYABLE}) FROM STDIN") as copy:
            for target, id_, payable in zip(targets, ids, payables, strict=True):
                money = ("EUR", target.amount_minor, "goods")
                copy.write_row((payable, COOP, PRODUCER, *money, target.since, "bench", id_, "scheduled", RUN))
        with cursor.copy(f"COPY payout ({_PAYOUT}) FROM STDIN") as copy:
            for target, id_ in zip(targets, ids, strict=True):
                copy.write_row(_payout_row(target, id_))
        with cursor.copy("COPY payout_item (coop_id, payout_id, payable_id, amount_minor) FROM STDIN") as copy:
            for target, id_, payable in zip(targets, ids, payables, strict=True):
                copy.write_row((COOP, id_, payable, target.amount_minor))
        cursor.execute("ANALYZE payout, payable, payout_item")


def _payout_row(target: Target, id_: str) -> tuple[object, ...]:
    details = psycopg.types.json.Jsonb({"holder": target.name, "iban": target.account})
    sent = datetime.combine(target.since, datetime.min.time(), UTC) + timedelta(hours=12)
    number = int(target.reference[5:])
    return (
        id_, COOP, RUN, number, PRODUCER, "sepa", "EUR", target.amount_minor, target.amount_minor, "bank:1", details,
        target.reference, "sent", sent, sent,
    )  # fmt: skip
