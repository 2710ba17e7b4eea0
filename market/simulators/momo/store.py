"""What the provider knows: transfers, wallets, tokens, in one SQLite file, and the log of what moved.

A transfer is decided `decide_after` seconds after it was taken, by whoever looks next. Money moves at that moment and never
again: the effect is written to the log with the decision.
"""

import json
import secrets
import sqlite3
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

from market.kernel.clock import SystemClock

SCHEMA = """
CREATE TABLE IF NOT EXISTS transfer (seq INTEGER PRIMARY KEY, reference TEXT UNIQUE NOT NULL, body TEXT NOT NULL,
  callback TEXT, taken_at REAL NOT NULL, status TEXT NOT NULL DEFAULT 'PENDING', reason TEXT, financial_id TEXT, decided_at REAL,
  told INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS transfer_open ON transfer (status) WHERE status = 'PENDING';
CREATE TABLE IF NOT EXISTS wallet (msisdn TEXT PRIMARY KEY, given_name TEXT NOT NULL, family_name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS token (token TEXT PRIMARY KEY);
"""
FEE_PERCENT = Decimal("0.5")
Body = dict[str, Any]


class Store:
    """One provider."""

    def __init__(self, folder: Path, *, decide_after: float) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.effects_path = folder / "effects.jsonl"
        self._effects = self.effects_path.open("a", encoding="utf-8")
        self._lock, self._clock, self.decide_after = threading.RLock(), SystemClock(), decide_after
        self._database = sqlite3.connect(folder / "momo.sqlite3", check_same_thread=False, isolation_level=None)
        self._database.row_factory = sqlite3.Row
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.executescript(SCHEMA)

    def close(self) -> None:
        """Close the files."""
        with self._lock:
            self._database.close()
            self._effects.close()

    def new_token(self) -> str:
        """Return a token that opens the door."""
        token = secrets.token_urlsafe(24)
        self._run("INSERT INTO token VALUES (?)", token)
        return token

    def knows_token(self, token: str) -> bool:
        """Whether a token was given out and not forgotten."""
        return bool(self._run("SELECT 1 FROM token WHERE token = ?", token))

    def forget_tokens(self) -> None:
        """Let every token end early."""
        self._run("DELETE FROM token")

    def take(self, reference: str, body: Body, callback: str | None) -> bool:
        """Take a transfer; False when its reference was used before, whatever the content."""
        values = (reference, json.dumps(body), callback, self._now())
        sql = (
            "INSERT INTO transfer (reference, body, callback, taken_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING seq"
        )
        return bool(self._run(sql, *values))

    def decide_due(self, *, everything: bool = False) -> None:
        """Decide what was taken long enough ago; `everything`: however long ago, but for the number that stays pending."""
        until = self._now() - (0 if everything else self.decide_after)
        with self._lock:
            for row in self._run("SELECT * FROM transfer WHERE status = 'PENDING' AND taken_at <= ? ORDER BY seq", until):
                self._decide(row)

    def transfer(self, reference: str) -> Body | None:
        """Return what the provider says about a reference; None for one never seen."""
        self.decide_due()
        rows = self._run("SELECT * FROM transfer WHERE reference = ?", reference)
        return answer_of(rows[0]) if rows else None

    def to_tell(self) -> list[tuple[str, str, Body]]:
        """Return decided transfers with a callback that nobody has called: reference, address, body."""
        self.decide_due()
        rows = self._run("SELECT * FROM transfer WHERE told = 0 AND callback IS NOT NULL AND status <> 'PENDING' ORDER BY seq")
        return [(row["reference"], row["callback"], answer_of(row)) for row in rows]

    def told(self, reference: str) -> None:
        """Note that the callback was called."""
        self._run("UPDATE transfer SET told = 1 WHERE reference = ?", reference)

    def name(self, msisdn: str) -> Body | None:
        """Return the names of a wallet; None for a number that nobody registered."""
        rows = self._run("SELECT given_name, family_name FROM wallet WHERE msisdn = ?", msisdn)
        return dict(rows[0]) if rows else None

    def register(self, msisdn: str, given_name: str, family_name: str) -> None:
        """Give a number to somebody."""
        sql = "INSERT INTO wallet VALUES (?, ?, ?) ON CONFLICT (msisdn) DO UPDATE SET given_name = excluded.given_name,"
        self._run(sql + " family_name = excluded.family_name", msisdn, given_name, family_name)

    def effects(self) -> list[Body]:
        """Return the log so far."""
        return [json.loads(line) for line in self.effects_path.read_text(encoding="utf-8").splitlines()]

    def statement(self, opening: Decimal) -> str:
        """Return the float's statement as the provider's portal gives it: a row per transfer, its fee a row of its own."""
        rows, balance = ["Date,Transaction Id,Type,To,To name,Our reference,Amount,Balance,Status"], opening
        for effect in self.effects():
            parts = (("Transfer", Decimal(effect["amount"]), ""), ("Fee", Decimal(effect["fee"]), "-FEE"))
            for kind, amount, suffix in parts:
                if amount:
                    balance -= amount
                    number, to = effect["financial_id"] + suffix, effect["to"]
                    rows.append(f"{effect['on']},{number},{kind},{to},,{effect['external_id']},-{amount},{balance},SUCCESSFUL")
        return "\n".join(rows) + "\n"

    def _decide(self, row: sqlite3.Row) -> None:
        body = json.loads(row["body"])
        to = str(body["payee"]["partyId"])
        if to.endswith("54"):
            return
        if to.endswith("50"):
            reason = json.dumps({"code": "PAYEE_NOT_FOUND", "message": "no such wallet"})
            self._run(
                "UPDATE transfer SET status = 'FAILED', reason = ?, decided_at = ? WHERE seq = ?", reason, self._now(), row["seq"]
            )
            return
        financial_id = str(1_000_000_000 + row["seq"])
        self._run(
            "UPDATE transfer SET status = 'SUCCESSFUL', financial_id = ?, decided_at = ? WHERE seq = ?",
            financial_id, self._now(), row["seq"],
        )  # fmt: skip
        amount = Decimal(body["amount"])
        effect = {
            "kind": "transfer", "reference": row["reference"], "external_id": body["externalId"], "financial_id": financial_id,
            "to": to, "amount": str(amount), "fee": str((amount * FEE_PERCENT / 100).quantize(amount)),
            "currency": body["currency"], "on": self._clock.now().date().isoformat(),
        }  # fmt: skip
        self._effects.write(json.dumps(effect, sort_keys=True) + "\n")
        self._effects.flush()

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _run(self, sql: str, *values: object) -> list[sqlite3.Row]:
        with self._lock:
            return self._database.execute(sql, values).fetchall()


def answer_of(row: sqlite3.Row) -> Body:
    """Return a transfer as the API shows it."""
    body = json.loads(row["body"])
    shown = {
        name: body[name] for name in ("amount", "currency", "externalId", "payee", "payerMessage", "payeeNote") if name in body
    }
    if row["financial_id"]:
        shown["financialTransactionId"] = row["financial_id"]
    if row["reason"]:
        shown["reason"] = json.loads(row["reason"])
    return shown | {"status": row["status"]}
