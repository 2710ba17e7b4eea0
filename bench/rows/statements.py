"""Statements: lines read, loaded and posted; put through all rules; matches written and posted (targets.md, money.md 8.4).

A year of a busy co-op: payouts on their way, and a statement about them as untidy as real ones (bench.statement_noise).
BENCH_LINES says how many; all three steps count.
"""

from __future__ import annotations

import gc
import os
import resource
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID
from xml.sax.saxutils import escape

import psycopg
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from bench.site import Site
from bench.statement_noise import FEE, FIRST_DAY, Noise, make_noise
from bench.table import Row
from market.cli.migrations import import_models
from market.http.db import engine_options
from market.kernel import tenancy
from market.kernel.actor import system
from market.kernel.ids import derived_id
from market.kernel.money import Money
from market.ledger import service as ledger
from market.statements import service
from market.statements.rules.claims import Claim, Target
from workers.base import COLLECT

NOW = datetime(2026, 12, 31, tzinfo=UTC)
COOP, PRODUCER, RUN = (derived_id(f"bench statements {name}") for name in ("coop", "producer", "run"))
IBAN = "DE89370400440532013000"
LINES_PER_FILE = 250_000
ACTOR = system("bench")


@dataclass(frozen=True)
class Figures:
    """What one run took, in seconds, and the largest memory of the process that did it, in MB, after each step."""

    loaded: float
    ruled: float
    made: float
    proposals: int
    matches: int
    memory: tuple[float, float, float]


def measure(site: Site) -> list[Row]:
    """Import the files, run the rules, make the matches, in a process of its own as a worker would be."""
    lines = int(os.environ.get("BENCH_LINES", "20000" if site.plan.short else "1000000"))
    noise = make_noise(20261125, lines, days=330)
    _payouts(site.database_url, noise)
    count = len(noise.claims)
    with TemporaryDirectory(prefix="bench-") as folder:
        files = _write_files(Path(folder), noise)
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as worker:
            did = worker.submit(_work, _options(site), files).result()
    total = 1_000_000 * (did.loaded + did.ruled + did.made) / count
    note = f"{count:,} lines; a million loaded, ruled and written = {total:.0f} s (goal ≤ 180 s); memory {did.memory[0]:.0f} MB"
    return [
        Row("statement lines read, checked, loaded and posted", count / did.loaded, note=note),
        Row(
            "statement lines through all rules, suggestions written",
            count / did.ruled,
            note=f"{did.proposals:,} proposals; memory {did.memory[1]:.0f} MB",
        ),
        Row(
            "automatic matches made and posted",
            did.matches / did.made,
            note=f"{did.matches:,} matches; memory {did.memory[2]:.0f} MB",
        ),
    ]


def _work(options: dict[str, object], files: list[tuple[str, int]]) -> Figures:
    """Do what a worker does with the files; each step says how long it took as it ends."""
    import_models()
    gc.set_threshold(*COLLECT)
    engine = create_engine(**options)  # type: ignore[call-overload]
    with tenancy.scoped(tenancy.EVERYTHING):
        account_id = _account(engine)
        begun, memory = time.perf_counter(), []
        _import(engine, account_id, files)
        loaded, begun = _step("loaded", begun, memory)
        with Session(engine) as session:
            proposals = service.plan_matching(session, money_account_id=account_id)
        with Session(engine) as session, session.begin():
            service.keep_suggestions(session, money_account_id=account_id, proposals=proposals)
        ruled, begun = _step("ruled", begun, memory)
        automatic = [proposal for proposal in proposals if proposal.automatic]
        for portion in service.slices(automatic):
            with Session(engine) as session, session.begin():
                service.apply_slice(session, money_account_id=account_id, proposals=portion, actor=ACTOR, now=NOW)
        made, _ = _step("matched", begun, memory)
    engine.dispose()
    return Figures(loaded, ruled, made, len(proposals), len(automatic), (memory[0], memory[1], memory[2]))


def _step(name: str, begun: float, memory: list[float]) -> tuple[float, float]:
    now = time.perf_counter()
    memory.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    print(f"    {name} in {now - begun:.1f} s, {memory[-1]:.0f} MB", flush=True)
    return now - begun, now


def _options(site: Site) -> dict[str, object]:
    """The product's own connections, on the bench's database."""
    from config import Settings
    from market.cli.migrations import sqlalchemy_url

    settings = Settings.from_env(site.environ | {"DATABASE_URL": sqlalchemy_url(site.database_url)})
    return engine_options(settings)


def _account(engine: object) -> UUID:
    with Session(engine) as session, session.begin():  # type: ignore[call-overload]
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


def _import(engine: object, account_id: UUID, files: list[tuple[str, int]]) -> None:
    for path, lines in files:
        with open(path, "rb") as content:
            prepared = service.prepare_file(content, name=Path(path).name, currency="EUR")
        with Session(engine) as session, session.begin():  # type: ignore[call-overload]
            done = service.import_file(session, money_account_id=account_id, prepared=prepared, actor=ACTOR, now=NOW)
        if (done.outcome, done.new_lines) != ("imported", lines):
            raise RuntimeError(f"{done.outcome}: {done.reason} {done.findings} {done.new_lines} of {lines}")


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
    """Write the payouts of the noise as sent ones, with their payables, by COPY; payments of buyers are left out."""
    targets = [target for target in noise.targets if target.kind == "payout"]
    with psycopg.connect(database_url) as connection, connection.cursor() as cursor:
        cursor.execute(_COOP, (COOP, NOW, IBAN))
        cursor.execute(_PRODUCER, (PRODUCER, COOP, NOW))
        cursor.execute(_RUN, (RUN, COOP, FIRST_DAY, FIRST_DAY, "0" * 64, NOW, NOW))
        with cursor.copy(f"COPY payable ({_PAYABLE}) FROM STDIN") as copy:
            for target in targets:
                payable, money = derived_id(f"payable {target.id}"), ("EUR", target.amount_minor, "goods")
                copy.write_row((payable, COOP, PRODUCER, *money, target.since, "bench", target.id, "scheduled", RUN))
        with cursor.copy(f"COPY payout ({_PAYOUT}) FROM STDIN") as copy:
            for target in targets:
                copy.write_row(_payout_row(target))
        with cursor.copy("COPY payout_item (coop_id, payout_id, payable_id, amount_minor) FROM STDIN") as copy:
            for target in targets:
                copy.write_row((COOP, target.id, derived_id(f"payable {target.id}"), target.amount_minor))
        cursor.execute("ANALYZE payout, payable, payout_item")


def _payout_row(target: Target) -> tuple[object, ...]:
    details = psycopg.types.json.Jsonb({"holder": target.name, "iban": target.account})
    sent = datetime.combine(target.since, datetime.min.time(), UTC) + timedelta(hours=12)
    number = int(target.reference[5:])
    return (
        target.id, COOP, RUN, number, PRODUCER, "sepa", "EUR", target.amount_minor, target.amount_minor, "bank:1", details,
        target.reference, "sent", sent, sent,
    )  # fmt: skip
