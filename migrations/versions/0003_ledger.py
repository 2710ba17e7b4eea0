"""The books: tables, triggers and the one function that writes (money.md 1.3)."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from market.kernel.money import EXPONENTS
from market.ledger.models import Xid8
from migrations.kit import append_only, enable_rls

revision = "0003_ledger"
down_revision = "0002_accounts"

_RULES = r"""
CREATE FUNCTION ledger_no_late_leg() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF EXISTS (SELECT FROM added a WHERE (SELECT t.xid FROM ledger_transaction t WHERE (t.book_id, t.id) = (a.book_id, a.transaction_id)) <> pg_current_xact_id())
  THEN RAISE EXCEPTION 'posting added to a finished transaction' USING ERRCODE = 'restrict_violation'; END IF; RETURN NULL; END $$;
CREATE TRIGGER no_late_leg AFTER INSERT ON ledger_posting REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ledger_no_late_leg();
CREATE FUNCTION ledger_has_posting() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF NOT EXISTS (SELECT FROM ledger_posting WHERE (book_id, transaction_id) = (NEW.book_id, NEW.id))
  THEN RAISE EXCEPTION 'transaction % has no posting', NEW.id USING ERRCODE = 'check_violation'; END IF; RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER not_empty AFTER INSERT ON ledger_transaction DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_has_posting();
CREATE FUNCTION ledger_make_slots() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$ BEGIN
  INSERT INTO ledger_balance SELECT NEW.book_id, NEW.id, s FROM generate_series(0, NEW.slots - 1) s; RETURN NULL; END $$;
CREATE TRIGGER make_slots AFTER INSERT ON ledger_account FOR EACH ROW EXECUTE FUNCTION ledger_make_slots();
CREATE FUNCTION ledger_account_fixed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$ BEGIN
  IF (OLD.book_id, OLD.id, OLD.code, OLD.currency, OLD.side, OLD.slots) IS DISTINCT FROM (NEW.book_id, NEW.id, NEW.code, NEW.currency, NEW.side, NEW.slots)
  THEN RAISE EXCEPTION 'account % is fixed', OLD.code USING ERRCODE = 'restrict_violation'; END IF;
  PERFORM FROM ledger_balance WHERE (book_id, account_id) = (OLD.book_id, OLD.id) FOR UPDATE; RETURN NEW; END $$;            -- a new limit waits for postings in flight
CREATE TRIGGER fixed BEFORE UPDATE ON ledger_account FOR EACH ROW EXECUTE FUNCTION ledger_account_fixed();

CREATE FUNCTION ledger_text(t text) RETURNS bytea IMMUTABLE LANGUAGE sql AS $$ SELECT int4send(octet_length(convert_to(t, 'UTF8'))) || convert_to(t, 'UTF8') $$;
CREATE FUNCTION ledger_content(book bigint, kind text, key text, on_day date, reverses bigint, legs jsonb) RETURNS bytea STABLE LANGUAGE sql AS $$
  SELECT ledger_text('fm-ledger-1') || int8send(book) || ledger_text(kind) || ledger_text(key) || int4send(on_day - DATE '1970-01-01') || int8send(coalesce(reverses, 0))
    || int4send(count(*)::int) || coalesce(string_agg(int8send((p->>0)::bigint) || int8send((p->>1)::bigint) || ledger_text(p->>2) || int8send((p->>3)::bigint)
    || uuid_send(coalesce(p->>4, '00000000-0000-0000-0000-000000000000')::uuid), ''::bytea ORDER BY n), '')
  FROM jsonb_array_elements(legs) WITH ORDINALITY AS e(p, n) $$;

CREATE FUNCTION ledger_post(p jsonb) RETURNS bigint[] LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
-- p: [{book, kind, key, on, actor, reverses?, note?, legs: [[debit, credit, currency, amount_minor, subject], ...]}, ...]; returns ids in the same order.
-- Each step is one statement over all entries, so that a run of 100,000 payouts is one call. What this call wrote is known by its range of ids and
-- its own xid; entries find their row by key, never by a position in an array, whose look-up would grow with the square of the entries.
DECLARE r record; v_count bigint; v_first bigint; v_last bigint; v_ids bigint[]; v_books bigint[]; v_me xid8 := pg_current_xact_id(); v_slot int := pg_backend_pid();
BEGIN
  WITH fresh AS (
    INSERT INTO ledger_transaction (book_id, kind, idem_key, content_hash, effective_on, reverses_id, actor, note)
      SELECT (e->>'book')::bigint, e->>'kind', e->>'key', sha256(ledger_content((e->>'book')::bigint, e->>'kind', e->>'key', (e->>'on')::date,
        (e->>'reverses')::bigint, e->'legs')), (e->>'on')::date, (e->>'reverses')::bigint, e->>'actor', e->'note'
      FROM jsonb_array_elements(p) e ORDER BY 1, 3                            -- keys in order: no deadlock
      ON CONFLICT (book_id, idem_key) DO NOTHING RETURNING id, book_id)
    SELECT count(*), min(id), max(id), array_agg(DISTINCT book_id) INTO v_count, v_first, v_last, v_books FROM fresh;
  SELECT array_agg(t.id ORDER BY i) INTO v_ids FROM jsonb_array_elements(p) WITH ORDINALITY AS x(e, i)
    JOIN ledger_transaction t ON t.book_id = (e->>'book')::bigint AND t.idem_key = e->>'key';
  IF v_count < jsonb_array_length(p) THEN                                     -- posted before: same content, same answer; other content, refused
    SELECT t.idem_key INTO r FROM jsonb_array_elements(p) e JOIN ledger_transaction t ON t.book_id = (e->>'book')::bigint AND t.idem_key = e->>'key'
      WHERE t.content_hash <> sha256(ledger_content(t.book_id, e->>'kind', e->>'key', (e->>'on')::date, (e->>'reverses')::bigint, e->'legs')) LIMIT 1;
    IF FOUND THEN RAISE EXCEPTION 'key % was used with other content', r.idem_key USING ERRCODE = 'FM001'; END IF;
    IF v_count = 0 THEN RETURN v_ids; END IF;
  END IF;
  PERFORM pg_advisory_xact_lock_shared(7201, book::int) FROM unnest(v_books) book ORDER BY book;   -- closing a period takes this lock exclusively
  SELECT t.effective_on, t.book_id INTO r FROM (
      SELECT DISTINCT book_id, effective_on FROM ledger_transaction WHERE book_id = ANY (v_books) AND id BETWEEN v_first AND v_last AND xid = v_me) t
    WHERE NOT EXISTS (SELECT FROM ledger_period d WHERE d.book_id = t.book_id AND t.effective_on BETWEEN d.starts_on AND d.ends_on AND d.state = 'open') LIMIT 1;
  IF FOUND THEN RAISE EXCEPTION 'no open period for % in book %', r.effective_on, r.book_id USING ERRCODE = 'FM002'; END IF;
  INSERT INTO ledger_posting SELECT t.book_id, t.id, n, (l->>0)::bigint, (l->>1)::bigint, l->>2, (l->>3)::bigint, (l->>4)::uuid FROM (
      SELECT DISTINCT ON (t.id) t.book_id, t.id, e->'legs' legs FROM jsonb_array_elements(p) e    -- one that stands twice in the batch is one fact
      JOIN ledger_transaction t ON t.book_id = (e->>'book')::bigint AND t.idem_key = e->>'key'            -- + 0: found by its key, not by the range
      WHERE t.id + 0 BETWEEN v_first AND v_last AND t.xid = v_me ORDER BY t.id) t, jsonb_array_elements(t.legs) WITH ORDINALITY AS y(l, n);
  FOR r IN SELECT * FROM ledger_transaction WHERE book_id = ANY (v_books) AND id BETWEEN v_first AND v_last AND xid = v_me AND reverses_id IS NOT NULL LOOP
    IF EXISTS (
        SELECT FROM (SELECT * FROM ledger_posting WHERE book_id = r.book_id AND transaction_id = r.id) a
        FULL JOIN (SELECT * FROM ledger_posting WHERE book_id = r.book_id AND transaction_id = r.reverses_id) o USING (n)
        WHERE (a.debit_id, a.credit_id, a.currency, a.amount_minor, a.subject) IS DISTINCT FROM (o.credit_id, o.debit_id, o.currency, o.amount_minor, o.subject)
        UNION ALL SELECT FROM ledger_transaction WHERE book_id = r.book_id AND id = r.reverses_id AND reverses_id IS NOT NULL)
    THEN RAISE EXCEPTION '% is not the exact mirror of an original', r.idem_key USING ERRCODE = 'FM003'; END IF;
  END LOOP;
  INSERT INTO ledger_unsealed SELECT book_id, id FROM ledger_transaction WHERE book_id = ANY (v_books) AND id BETWEEN v_first AND v_last AND xid = v_me;
  PERFORM FROM (SELECT DISTINCT p.book_id, unnest(ARRAY[p.debit_id, p.credit_id]) id FROM ledger_transaction t JOIN ledger_posting p ON (p.book_id, p.transaction_id) = (t.book_id, t.id)
      WHERE t.book_id = ANY (v_books) AND t.id BETWEEN v_first AND v_last AND t.xid = v_me) m JOIN ledger_account a USING (book_id, id)
    JOIN ledger_balance b ON (b.book_id, b.account_id, b.slot) = (a.book_id, a.id, CASE WHEN a.slots > 1 THEN v_slot % a.slots ELSE 0 END)
    ORDER BY a.slots > 1, b.book_id, b.account_id FOR UPDATE OF b;            -- cold rows first, by id: no deadlock
  WITH moved AS (SELECT a.book_id, a.id, a.code, a.side, a.slots, a.floor_minor, a.ceiling_minor, m.d, m.c FROM (
      SELECT book_id, id, sum(d)::bigint d, sum(c)::bigint c FROM (
        SELECT p.book_id, unnest(ARRAY[p.debit_id, p.credit_id]) id, unnest(ARRAY[p.amount_minor, 0]) d, unnest(ARRAY[0, p.amount_minor]) c
        FROM ledger_transaction t JOIN ledger_posting p ON (p.book_id, p.transaction_id) = (t.book_id, t.id)
        WHERE t.book_id = ANY (v_books) AND t.id BETWEEN v_first AND v_last AND t.xid = v_me) x GROUP BY book_id, id) m JOIN ledger_account a USING (book_id, id)),
  done AS (
    UPDATE ledger_balance b SET debits_minor = debits_minor + d, credits_minor = credits_minor + c, version = version + 1 FROM moved m
      WHERE (b.book_id, b.account_id, b.slot) = (m.book_id, m.id, CASE WHEN m.slots > 1 THEN v_slot % m.slots ELSE 0 END)
      RETURNING m.*, m.side * (b.debits_minor - b.credits_minor) AS stands)   -- limits are read after the row lock (L-7)
  SELECT code, stands, floor_minor, ceiling_minor INTO r FROM done WHERE slots = 1
    AND (stands < floor_minor AND side * (d - c) < 0 OR stands > ceiling_minor AND side * (d - c) > 0) ORDER BY book_id, id LIMIT 1;
  IF FOUND THEN RAISE EXCEPTION 'account % would be at % (limits % to %)', r.code, r.stands, r.floor_minor, r.ceiling_minor USING ERRCODE = 'FM004'; END IF;
  RETURN v_ids;
END $$;
"""

_CURRENCIES = "INSERT INTO currency (code, exponent) VALUES " + ", ".join(
    f"('{code}', {digits})" for code, digits in sorted(EXPONENTS.items())
)
_OF_A_BOOK = ("ledger_account", "ledger_transaction", "ledger_posting", "ledger_balance", "ledger_period", "ledger_unsealed")

_CLOSE = r"""
CREATE FUNCTION ledger_close(p_book bigint, p_last date, p_by text, p_at timestamptz) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
-- Close the days of a book up to p_last; a period that goes on after it is split there. Waits for postings in flight.
DECLARE v_ends date; BEGIN
  PERFORM FROM ledger_book WHERE id = p_book AND (coop_id IS NULL OR market_sees(coop_id));
  IF NOT FOUND THEN RAISE EXCEPTION 'no book % in this scope', p_book USING ERRCODE = 'FM002'; END IF;
  PERFORM pg_advisory_xact_lock(7201, p_book::int);
  SELECT ends_on INTO v_ends FROM ledger_period WHERE book_id = p_book AND p_last BETWEEN starts_on AND ends_on AND state = 'open' FOR UPDATE;
  IF NOT FOUND THEN RAISE EXCEPTION 'no open period for % in book %', p_last, p_book USING ERRCODE = 'FM002'; END IF;
  UPDATE ledger_period SET ends_on = p_last WHERE book_id = p_book AND ends_on = v_ends;
  IF v_ends > p_last THEN INSERT INTO ledger_period (book_id, starts_on, ends_on) VALUES (p_book, p_last + 1, v_ends); END IF;
  UPDATE ledger_period SET state = 'closed', closed_by = p_by, closed_at = p_at WHERE book_id = p_book AND ends_on <= p_last AND state <> 'closed';
END $$;
"""


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "currency",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("exponent", sa.SmallInteger(), nullable=False),
        sa.Column("community", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("code ~ '^[A-Z][A-Z0-9]{2,7}$'", name=op.f("currency_code_check")),
        sa.CheckConstraint("exponent BETWEEN 0 AND 4", name=op.f("currency_exponent_check")),
        sa.PrimaryKeyConstraint("code", name=op.f("currency_pkey")),
    )
    op.create_table(
        "ledger_unsealed",
        sa.Column("book_id", sa.BigInteger(), nullable=False),
        sa.Column("transaction_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("book_id", "transaction_id", name=op.f("ledger_unsealed_pkey")),
    )
    op.create_table(
        "ledger_book",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("coop_id", sa.Uuid(), nullable=True),
        sa.Column("base_currency", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["base_currency"], ["currency.code"], name=op.f("ledger_book_base_currency_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("ledger_book_pkey")),
        sa.UniqueConstraint("coop_id", name=op.f("ledger_book_coop_id_key"), postgresql_nulls_not_distinct=True),
    )
    op.create_table(
        "ledger_account",
        sa.Column("book_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("side", sa.SmallInteger(), nullable=False),
        sa.Column("floor_minor", sa.BigInteger(), nullable=True),
        sa.Column("ceiling_minor", sa.BigInteger(), nullable=True),
        sa.Column("slots", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint("code ~ '^[a-z][a-z0-9_]*(:[A-Za-z0-9_-]+)*$'", name=op.f("ledger_account_code_check")),
        sa.CheckConstraint("floor_minor <= ceiling_minor", name=op.f("ledger_account_limits_check")),
        sa.CheckConstraint("side IN (1, -1)", name=op.f("ledger_account_side_check")),
        sa.CheckConstraint(
            "slots = 1 OR (floor_minor IS NULL AND ceiling_minor IS NULL)", name=op.f("ledger_account_slots_or_limits_check")
        ),
        sa.CheckConstraint("slots BETWEEN 1 AND 16", name=op.f("ledger_account_slots_check")),
        sa.ForeignKeyConstraint(["book_id"], ["ledger_book.id"], name=op.f("ledger_account_book_id_fkey")),
        sa.ForeignKeyConstraint(["currency"], ["currency.code"], name=op.f("ledger_account_currency_fkey")),
        sa.PrimaryKeyConstraint("book_id", "id", name=op.f("ledger_account_pkey")),
        sa.UniqueConstraint("book_id", "code", "currency", name=op.f("ledger_account_book_id_code_currency_key")),
        sa.UniqueConstraint("book_id", "id", "currency", name=op.f("ledger_account_book_id_id_currency_key")),
    )
    op.create_table(
        "ledger_period",
        sa.Column("book_id", sa.BigInteger(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'open'"), nullable=False),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        postgresql.ExcludeConstraint(
            (sa.text("int8range(book_id, book_id, '[]')"), "&&"),
            (sa.text("daterange(starts_on, ends_on, '[]')"), "&&"),
            using="gist",
            name="ledger_period_no_overlap",
        ),
        sa.CheckConstraint("state IN ('open', 'closing', 'closed')", name=op.f("ledger_period_state_check")),
        sa.CheckConstraint("starts_on <= ends_on", name=op.f("ledger_period_days_check")),
        sa.ForeignKeyConstraint(["book_id"], ["ledger_book.id"], name=op.f("ledger_period_book_id_fkey")),
        sa.PrimaryKeyConstraint("book_id", "starts_on", name=op.f("ledger_period_pkey")),
    )
    op.create_table(
        "ledger_transaction",
        sa.Column("book_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("booked_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("idem_key", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("reverses_id", sa.BigInteger(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("note", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.CheckConstraint("length(idem_key) BETWEEN 3 AND 200", name=op.f("ledger_transaction_idem_key_check")),
        sa.CheckConstraint("octet_length(content_hash) = 32", name=op.f("ledger_transaction_content_hash_check")),
        sa.CheckConstraint("reverses_id < id", name=op.f("ledger_transaction_reverses_check")),
        sa.ForeignKeyConstraint(
            ["book_id", "reverses_id"],
            ["ledger_transaction.book_id", "ledger_transaction.id"],
            name=op.f("ledger_transaction_book_id_reverses_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["book_id"], ["ledger_book.id"], name=op.f("ledger_transaction_book_id_fkey")),
        sa.PrimaryKeyConstraint("book_id", "id", name=op.f("ledger_transaction_pkey")),
        sa.UniqueConstraint("book_id", "idem_key", name=op.f("ledger_transaction_book_id_idem_key_key")),
        sa.UniqueConstraint("book_id", "reverses_id", name=op.f("ledger_transaction_book_id_reverses_id_key")),
    )
    op.create_table(
        "ledger_balance",
        sa.Column("book_id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("slot", sa.SmallInteger(), nullable=False),
        sa.Column("debits_minor", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("credits_minor", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(
            ["book_id", "account_id"],
            ["ledger_account.book_id", "ledger_account.id"],
            name=op.f("ledger_balance_book_id_account_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("book_id", "account_id", "slot", name=op.f("ledger_balance_pkey")),
        postgresql_with={"fillfactor": "50"},
    )
    op.create_table(
        "ledger_posting",
        sa.Column("book_id", sa.BigInteger(), nullable=False),
        sa.Column("transaction_id", sa.BigInteger(), nullable=False),
        sa.Column("n", sa.SmallInteger(), nullable=False),
        sa.Column("debit_id", sa.BigInteger(), nullable=False),
        sa.Column("credit_id", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.Uuid(), nullable=True),
        sa.CheckConstraint("amount_minor BETWEEN 1 AND 1000000000000000", name=op.f("ledger_posting_amount_check")),
        sa.CheckConstraint("debit_id <> credit_id", name=op.f("ledger_posting_two_accounts_check")),
        sa.CheckConstraint("n > 0", name=op.f("ledger_posting_n_check")),
        sa.ForeignKeyConstraint(
            ["book_id", "credit_id", "currency"],
            ["ledger_account.book_id", "ledger_account.id", "ledger_account.currency"],
            name=op.f("ledger_posting_book_id_credit_id_currency_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["book_id", "debit_id", "currency"],
            ["ledger_account.book_id", "ledger_account.id", "ledger_account.currency"],
            name=op.f("ledger_posting_book_id_debit_id_currency_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["book_id", "transaction_id"],
            ["ledger_transaction.book_id", "ledger_transaction.id"],
            name=op.f("ledger_posting_book_id_transaction_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("book_id", "transaction_id", "n", name=op.f("ledger_posting_pkey")),
    )
    op.create_index("ledger_posting_credit", "ledger_posting", ["book_id", "credit_id", "transaction_id"], unique=False)
    op.create_index("ledger_posting_debit", "ledger_posting", ["book_id", "debit_id", "transaction_id"], unique=False)
    op.create_index(
        "ledger_posting_subject",
        "ledger_posting",
        ["book_id", "subject"],
        unique=False,
        postgresql_where=sa.text("subject IS NOT NULL"),
    )
    op.execute(_RULES)
    op.execute(_CLOSE)
    op.execute(_CURRENCIES)
    append_only("ledger_transaction", "ledger_posting")
    enable_rls("ledger_book")
    for table in _OF_A_BOOK:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY book ON {table} USING (book_id IN (SELECT id FROM ledger_book))")
    # The application writes only through ledger_post; it may open books, accounts and periods and move limits and states.
    op.execute(f"REVOKE ALL ON currency, ledger_book, {', '.join(_OF_A_BOOK)} FROM market_app")
    op.execute(f"GRANT SELECT ON currency, ledger_book, {', '.join(_OF_A_BOOK)} TO market_app")
    op.execute("GRANT INSERT ON ledger_book, ledger_account, ledger_period TO market_app")
    op.execute("GRANT UPDATE (floor_minor, ceiling_minor) ON ledger_account TO market_app")
    op.execute("GRANT UPDATE (state, closed_by, closed_at) ON ledger_period TO market_app")
    op.execute("REVOKE ALL ON FUNCTION ledger_post FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION ledger_post TO market_app")
    op.execute("REVOKE ALL ON FUNCTION ledger_close FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION ledger_close TO market_app")


def downgrade() -> None:
    """Take back."""
    op.drop_table("ledger_posting")
    op.drop_table("ledger_balance")
    op.drop_table("ledger_transaction")
    op.drop_table("ledger_period")
    op.drop_table("ledger_account")
    op.drop_table("ledger_unsealed")
    op.drop_table("ledger_book")
    op.drop_table("currency")
    op.execute(
        "DROP FUNCTION ledger_close, ledger_post, ledger_content, ledger_text, ledger_account_fixed, ledger_make_slots, ledger_has_posting, "
        "ledger_no_late_leg"
    )
