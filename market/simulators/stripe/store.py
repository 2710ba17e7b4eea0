"""One SQLite file holds everything the simulator knows, as JSON objects in the order they were made.

All requests are handled one at a time under `lock`, each in one SQLite transaction, so that an object, its
events and the stored answer of an idempotency key appear together or not at all. Keys that begin with an
underscore are the simulator's own and never leave it (`public`).
"""

import hashlib
import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from market.kernel.ids import new_token

Body = dict[str, Any]

SCHEMA = """
CREATE TABLE IF NOT EXISTS object (seq INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS object_kind ON object (kind, seq);
CREATE INDEX IF NOT EXISTS object_group ON object (kind, json_extract(body, '$.transfer_group'));
CREATE INDEX IF NOT EXISTS object_intent ON object (kind, json_extract(body, '$.payment_intent'));
CREATE INDEX IF NOT EXISTS object_payout ON object (kind, json_extract(body, '$._payout'));
CREATE INDEX IF NOT EXISTS object_due ON object (kind, json_extract(body, '$._due_at'));
CREATE TABLE IF NOT EXISTS balance (account TEXT, currency TEXT, amount INTEGER NOT NULL, PRIMARY KEY (account, currency));
CREATE TABLE IF NOT EXISTS idempotency (key TEXT PRIMARY KEY, at INTEGER, request TEXT, status INTEGER, answer TEXT);
CREATE TABLE IF NOT EXISTS delivery (event TEXT, due_at REAL, attempts INTEGER NOT NULL DEFAULT 0, secret TEXT);
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""


class Store:
    """Objects, balances, kept answers and deliveries."""

    def __init__(self, folder: Path, seed: str | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.lock = threading.RLock()
        self._effects = (folder / "effects.jsonl").open("a", encoding="utf-8")
        self.effects_path = folder / "effects.jsonl"
        self._pending_effects: list[Body] = []
        self._database = sqlite3.connect(folder / "stripe.sqlite3", check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.executescript(SCHEMA)
        # Chosen once per store: another store's ids must not be taken for ours, while one story keeps its ids.
        self.rows("INSERT INTO meta VALUES ('seed', ?) ON CONFLICT DO NOTHING", seed or new_token())
        self._seed = self.rows("SELECT value FROM meta WHERE name = 'seed'")[0][0]

    def close(self) -> None:
        """Close the files."""
        with self.lock:
            self._database.close()
            self._effects.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the lock and one transaction; effects are written to the log once it is committed."""
        with self.lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._database.execute("ROLLBACK")
                self._pending_effects.clear()
                raise
            self._database.execute("COMMIT")
            for effect in self._pending_effects:
                self._effects.write(json.dumps(effect, sort_keys=True) + "\n")
            self._pending_effects.clear()
            self._effects.flush()

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Run one statement and return all its rows."""
        with self.lock:
            return self._database.execute(sql, values).fetchall()

    def new_id(self, prefix: str) -> str:
        """An id that looks like Stripe's, and is the same in every run of the same story with the same seed."""
        number = self.rows(
            "INSERT INTO counter VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value", prefix
        )[0][0]
        return f"{prefix}_{hashlib.sha256(f'{self._seed}:{prefix}:{number}'.encode()).hexdigest()[:24]}"

    def add(self, body: Body) -> Body:
        """Store a new object."""
        kind = str(body["object"])
        self.rows("INSERT INTO object (id, kind, body) VALUES (?, ?, ?)", body["id"], kind, json.dumps(body))
        return body

    def save(self, body: Body) -> None:
        """Store the changed object."""
        self.rows("UPDATE object SET body = ? WHERE id = ?", json.dumps(body), body["id"])

    def get(self, kind: str | None, identity: str) -> Body | None:
        """Return one object, of `kind` if given."""
        found = self.rows("SELECT body FROM object WHERE id = ? AND (?2 IS NULL OR kind = ?2)", identity, kind)
        return json.loads(found[0][0]) if found else None

    def find(self, kind: str, where: str = "1", *values: object, tail: str = "ORDER BY seq") -> list[Body]:
        """Return the objects of a kind that fit `where`, oldest first."""
        sql = f"SELECT body FROM object WHERE kind = ? AND {where} {tail}"  # noqa: S608 - `where` is written in this package
        return [json.loads(row[0]) for row in self.rows(sql, kind, *values)]

    def page(self, kind: str, where: list[tuple[str, list[object]]], params: Body) -> tuple[list[Body], bool]:
        """One page in Stripe's manner: newest first, `starting_after` and `ending_before` are ids."""
        limit = int(params.get("limit", 10))
        clauses, values = [clause for clause, _ in where], [value for _, group in where for value in group]
        backwards = "ending_before" in params
        if "starting_after" in params:
            clauses.append("seq < (SELECT seq FROM object WHERE id = ?)")
            values.append(params["starting_after"])
        if backwards:
            clauses.append("seq > (SELECT seq FROM object WHERE id = ?)")
            values.append(params["ending_before"])
        order = "ASC" if backwards else "DESC"
        found = self.find(kind, " AND ".join(clauses) or "1", *values, tail=f"ORDER BY seq {order} LIMIT {limit + 1}")
        page = found[:limit]
        return (page[::-1] if backwards else page), len(found) > limit

    def move(self, account: str, currency: str, amount: int) -> None:
        """Add to the balance of an account."""
        self.rows(
            "INSERT INTO balance VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET amount = amount + excluded.amount",
            account,
            currency,
            amount,
        )

    def balance(self, account: str, currency: str) -> int:
        """Return the balance of an account."""
        found = self.rows("SELECT amount FROM balance WHERE account = ? AND currency = ?", account, currency)
        return int(found[0][0]) if found else 0

    def effect(self, **facts: object) -> None:
        """Remember that money moved; `transaction` appends it to the log after the commit."""
        self._pending_effects.append(facts)


def public(value: Any) -> Any:
    """Return a copy without the simulator's own keys."""
    if isinstance(value, dict):
        return {key: public(inner) for key, inner in value.items() if not key.startswith("_")}
    if isinstance(value, list):
        return [public(inner) for inner in value]
    return value
