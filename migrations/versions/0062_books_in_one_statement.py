"""Write a set of transactions with its postings in one statement, check it once, and take sets as they are selected.

A transaction and its postings that come in one statement can be looked at when it ends: that each transaction has a posting was asked
for one at a time at the commit before. The reasons stand in docs/decisions/0101-books-in-one-statement.md.
"""

from importlib import import_module

from alembic import op

revision = "0062_books_in_one_statement"
down_revision = "0061_opening_balances"

# `convert_to` is STABLE: PostgreSQL writes a function that promises more than its text into no statement, and ran it for each text anew.
_INLINED = """
ALTER FUNCTION ledger_text(text) {volatility};
ALTER FUNCTION ledger_head(bigint, text, text, date, bigint) {volatility};
ALTER FUNCTION ledger_leg(bigint, bigint, text, bigint, uuid) {volatility};
"""
# Look-ups by key on purpose, each key once: joined as sets, a posting after a run of many would read whole tables.
_CHECKS = """
CREATE OR REPLACE FUNCTION ledger_no_late_leg() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF EXISTS (SELECT FROM (SELECT DISTINCT book_id, transaction_id FROM added) a
    WHERE (SELECT t.xid FROM ledger_transaction t WHERE (t.book_id, t.id) = (a.book_id, a.transaction_id)) IS DISTINCT FROM pg_current_xact_id())
  THEN RAISE EXCEPTION 'posting added to a finished transaction, or to none' USING ERRCODE = 'restrict_violation'; END IF;
  IF EXISTS (SELECT FROM (SELECT DISTINCT book_id, debit_id, credit_id, currency FROM added) a
    WHERE (SELECT d.currency FROM ledger_account d WHERE (d.book_id, d.id) = (a.book_id, a.debit_id)) IS DISTINCT FROM a.currency
       OR (SELECT c.currency FROM ledger_account c WHERE (c.book_id, c.id) = (a.book_id, a.credit_id)) IS DISTINCT FROM a.currency)
  THEN RAISE EXCEPTION 'posting between accounts that this book does not have in this currency' USING ERRCODE = 'foreign_key_violation'; END IF;
  RETURN NULL; END $$;
DROP TRIGGER not_empty ON ledger_transaction;
CREATE OR REPLACE FUNCTION ledger_has_posting() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE v_id bigint; BEGIN
  SELECT a.id INTO v_id FROM added a
    WHERE (SELECT 1 FROM ledger_posting p WHERE (p.book_id, p.transaction_id) = (a.book_id, a.id) LIMIT 1) IS NULL LIMIT 1;
  IF FOUND THEN RAISE EXCEPTION 'transaction % has no posting', v_id USING ERRCODE = 'check_violation'; END IF; RETURN NULL; END $$;
CREATE TRIGGER not_empty AFTER INSERT ON ledger_transaction REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ledger_has_posting();
"""
_CHECKS_BACK = """
DROP TRIGGER not_empty ON ledger_transaction;
CREATE OR REPLACE FUNCTION ledger_has_posting() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF NOT EXISTS (SELECT FROM ledger_posting WHERE (book_id, transaction_id) = (NEW.book_id, NEW.id))
  THEN RAISE EXCEPTION 'transaction % has no posting', NEW.id USING ERRCODE = 'check_violation'; END IF; RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER not_empty AFTER INSERT ON ledger_transaction DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_has_posting();
CREATE OR REPLACE FUNCTION ledger_no_late_leg() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF EXISTS (SELECT FROM added a
    WHERE (SELECT t.xid FROM ledger_transaction t WHERE (t.book_id, t.id) = (a.book_id, a.transaction_id)) IS DISTINCT FROM pg_current_xact_id())
  THEN RAISE EXCEPTION 'posting added to a finished transaction, or to none' USING ERRCODE = 'restrict_violation'; END IF;
  IF EXISTS (SELECT FROM added a
    WHERE (SELECT d.currency FROM ledger_account d WHERE (d.book_id, d.id) = (a.book_id, a.debit_id)) IS DISTINCT FROM a.currency
       OR (SELECT c.currency FROM ledger_account c WHERE (c.book_id, c.id) = (a.book_id, a.credit_id)) IS DISTINCT FROM a.currency)
  THEN RAISE EXCEPTION 'posting between accounts that this book does not have in this currency' USING ERRCODE = 'foreign_key_violation'; END IF;
  RETURN NULL; END $$;
"""
_OPEN_DAYS = r"""
CREATE FUNCTION ledger_needs_open_days(p_books bigint[], p_days date[]) RETURNS void LANGUAGE plpgsql AS $$
-- Refuse days in no open period; until the transaction ends nobody closes one of these books.
DECLARE r record; BEGIN
  PERFORM pg_advisory_xact_lock_shared(7201, book::int) FROM (SELECT DISTINCT book FROM unnest(p_books) e(book) ORDER BY book) b;
  SELECT e.on_day, e.book INTO r FROM (SELECT DISTINCT book, on_day FROM unnest(p_books, p_days) x(book, on_day)) e
    WHERE NOT EXISTS (SELECT FROM ledger_period d WHERE d.book_id = e.book AND e.on_day BETWEEN d.starts_on AND d.ends_on AND d.state = 'open') LIMIT 1;
  IF FOUND THEN RAISE EXCEPTION 'no open period for % in book %', r.on_day, r.book USING ERRCODE = 'FM002'; END IF;
END $$;
"""
_BALANCES = r"""
CREATE FUNCTION ledger_move_balances(p_books bigint[], p_accounts bigint[], p_debits bigint[], p_credits bigint[]) RETURNS void LANGUAGE plpgsql AS $$
-- Add to the balances of accounts, each named once, and refuse what passes a limit.
DECLARE r record; v_slot int := pg_backend_pid(); BEGIN
  PERFORM FROM unnest(p_books, p_accounts) m(book, account) JOIN ledger_account a ON (a.book_id, a.id) = (book, account)
    JOIN ledger_balance b ON (b.book_id, b.account_id, b.slot) = (a.book_id, a.id, CASE WHEN a.slots > 1 THEN v_slot % a.slots ELSE 0 END)
    ORDER BY a.slots > 1, b.book_id, b.account_id FOR UPDATE OF b;            -- cold rows first, by id: no deadlock
  WITH done AS (
    UPDATE ledger_balance b SET debits_minor = debits_minor + d, credits_minor = credits_minor + c, version = version + 1
      FROM unnest(p_books, p_accounts, p_debits, p_credits) m(book, account, d, c) JOIN ledger_account a ON (a.book_id, a.id) = (book, account)
      WHERE (b.book_id, b.account_id, b.slot) = (book, account, CASE WHEN a.slots > 1 THEN v_slot % a.slots ELSE 0 END)
      RETURNING a.*, d, c, a.side * (b.debits_minor - b.credits_minor) AS stands)   -- limits are read after the row lock (L-7)
  SELECT code, stands, floor_minor, ceiling_minor INTO r FROM done WHERE slots = 1
    AND (stands < floor_minor AND side * (d - c) < 0 OR stands > ceiling_minor AND side * (d - c) > 0) ORDER BY book_id, id LIMIT 1;
  IF FOUND THEN RAISE EXCEPTION 'account % would be at % (limits % to %)', r.code, r.stands, r.floor_minor, r.ceiling_minor USING ERRCODE = 'FM004'; END IF;
END $$;
"""
_POST = r"""
CREATE OR REPLACE FUNCTION ledger_post(p_books bigint[], p_kinds text[], p_keys text[], p_days date[], p_actors text[], p_reverses bigint[], p_notes jsonb[], p_counts int[],
  p_debits bigint[], p_credits bigint[], p_currencies text[], p_amounts bigint[], p_subjects uuid[])
RETURNS bigint[] LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
-- Entries in columns, and their legs one after the other: the first p_counts[1] legs belong to the first entry. Returns ids in the order of the entries.
-- Each step is one statement over all entries. Arrays are walked side by side, never joined by position: that would grow with the square of the entries.
DECLARE r record; v_ids bigint[]; v_fresh bigint[]; v_hashes bytea[]; v_count bigint; v_key text; v_entry bigint[]; v_n int[]; v_leg_ids bigint[]; v_leg_books bigint[];
  v_books bigint[]; v_accounts bigint[]; v_debits bigint[]; v_credits bigint[];
BEGIN
  SELECT array_agg(i ORDER BY i, n), array_agg(n ORDER BY i, n) INTO v_entry, v_n FROM unnest(p_counts) WITH ORDINALITY c(legs, i), generate_series(1, legs) n;
  IF 0 = ANY (p_counts) OR cardinality(v_n) <> cardinality(p_debits) THEN
    RAISE EXCEPTION 'an entry has no posting' USING ERRCODE = 'check_violation'; END IF;
  WITH legs AS (
    SELECT array_agg(int4send(legs::int) || bytes ORDER BY entry) parts FROM (
      SELECT entry, count(*) legs, string_agg(ledger_leg(debit, credit, currency, amount, subject), ''::bytea ORDER BY n) bytes
      FROM unnest(v_entry, v_n, p_debits, p_credits, p_currencies, p_amounts, p_subjects) l(entry, n, debit, credit, currency, amount, subject) GROUP BY entry) x)
  SELECT array_agg(sha256(ledger_head(book, kind, key, on_day, reverses) || part) ORDER BY i), array_agg(nextval('ledger_transaction_id_seq') ORDER BY i)
    INTO v_hashes, v_ids FROM legs, unnest(p_books, p_kinds, p_keys, p_days, p_reverses, parts) WITH ORDINALITY e(book, kind, key, on_day, reverses, part, i);
  SELECT array_agg(book ORDER BY i, n), array_agg(id ORDER BY i, n) INTO v_leg_books, v_leg_ids
    FROM unnest(p_books, v_ids, p_counts) WITH ORDINALITY e(book, id, legs, i), generate_series(1, legs) n;
  WITH fresh AS (
    INSERT INTO ledger_transaction (book_id, id, kind, idem_key, content_hash, effective_on, reverses_id, actor, note) OVERRIDING SYSTEM VALUE
      SELECT book, id, kind, key, hash, on_day, reverses, actor, note
      FROM unnest(p_books, v_ids, p_kinds, p_keys, v_hashes, p_days, p_reverses, p_actors, p_notes) e(book, id, kind, key, hash, on_day, reverses, actor, note)
      ORDER BY book, key                                                      -- keys in order: no deadlock
      ON CONFLICT (book_id, idem_key) DO NOTHING RETURNING book_id, id),
  unsealed AS (INSERT INTO ledger_unsealed SELECT book_id, id FROM fresh),
  legs AS (                                                                   -- IS TRUE: a table of ids, never a join of unknown sets
    INSERT INTO ledger_posting SELECT book, id, n, debit, credit, currency, amount, subject
    FROM unnest(v_leg_books, v_leg_ids, v_n, p_debits, p_credits, p_currencies, p_amounts, p_subjects) l(book, id, n, debit, credit, currency, amount, subject)
    WHERE (l.id IN (SELECT f.id FROM fresh f)) IS TRUE RETURNING book_id, debit_id, credit_id, amount_minor),
  moved AS (
    SELECT book, account, sum(d)::bigint d, sum(c)::bigint c FROM (
      SELECT book_id book, debit_id account, amount_minor d, 0 c FROM legs UNION ALL SELECT book_id, credit_id, 0, amount_minor FROM legs) x
    GROUP BY book, account)
  SELECT (SELECT count(*) FROM fresh), array_agg(book), array_agg(account), array_agg(d), array_agg(c)
    INTO v_count, v_books, v_accounts, v_debits, v_credits FROM moved;
  v_fresh := v_ids;
  IF v_count < cardinality(p_keys) THEN                                       -- posted before: same content, same answer; other content, refused
    SELECT array_agg(t.id ORDER BY i), array_agg(CASE WHEN t.id = mine THEN t.id END ORDER BY i), min(key) FILTER (WHERE t.content_hash <> hash)
      INTO v_ids, v_fresh, v_key FROM unnest(p_books, p_keys, v_ids, v_hashes) WITH ORDINALITY e(book, key, mine, hash, i)
      JOIN ledger_transaction t ON (t.book_id, t.idem_key) = (book, key);
    IF v_key IS NOT NULL THEN RAISE EXCEPTION 'key % was used with other content', v_key USING ERRCODE = 'FM001'; END IF;
    IF v_count = 0 THEN RETURN v_ids; END IF;
  END IF;
  PERFORM ledger_needs_open_days(array_agg(book), array_agg(on_day)) FROM (
    SELECT DISTINCT book, on_day FROM unnest(p_books, p_days, v_fresh) x(book, on_day, id) WHERE id IS NOT NULL) d;
  FOR r IN SELECT * FROM unnest(p_books, v_fresh, p_reverses, p_keys) e(book, id, reverses, key) WHERE id IS NOT NULL AND reverses IS NOT NULL LOOP
    IF EXISTS (
        SELECT FROM (SELECT * FROM ledger_posting WHERE book_id = r.book AND transaction_id = r.id) a
        FULL JOIN (SELECT * FROM ledger_posting WHERE book_id = r.book AND transaction_id = r.reverses) o USING (n)
        WHERE (a.debit_id, a.credit_id, a.currency, a.amount_minor, a.subject) IS DISTINCT FROM (o.credit_id, o.debit_id, o.currency, o.amount_minor, o.subject)
        UNION ALL SELECT FROM ledger_transaction WHERE book_id = r.book AND id = r.reverses AND reverses_id IS NOT NULL)
    THEN RAISE EXCEPTION '% is not the exact mirror of an original', r.key USING ERRCODE = 'FM003'; END IF;
  END LOOP;
  PERFORM ledger_move_balances(v_books, v_accounts, v_debits, v_credits);
  RETURN v_ids;
END $$;
"""
# A set is planned for what it holds, and joined by sets whatever its caller has said of his own statements.
_POST_SET = r"""
CREATE TYPE ledger_move AS (key text, n int, debit text, credit text, currency text, amount_minor bigint, subject uuid, on_day date, happened_on date);
CREATE FUNCTION ledger_post_set(p_book bigint, p_kind text, p_actor text, p_moves ledger_move[], OUT entries bigint, OUT absent_codes text[], OUT absent_currencies text[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_custom_plan SET work_mem = '64MB'
  SET enable_hashjoin = on SET enable_mergejoin = on SET enable_nestloop = on AS $$
-- Book moves of one book, those of one key as one entry, by the laws of ledger_post; nothing is written while accounts are absent, which are named instead.
DECLARE v_debit_codes text[]; v_credit_codes text[]; v_currencies text[]; v_debit_ids bigint[]; v_credit_ids bigint[];
  v_keys text[]; v_hashes bytea[]; v_days date[]; v_key text; v_accounts bigint[]; v_debits bigint[]; v_credits bigint[];
BEGIN
  entries := 0;
  SELECT array_agg(debit), array_agg(credit), array_agg(p.currency),
      array_agg((SELECT a.id FROM ledger_account a WHERE (a.book_id, a.code, a.currency) = (p_book, debit, p.currency))),
      array_agg((SELECT a.id FROM ledger_account a WHERE (a.book_id, a.code, a.currency) = (p_book, credit, p.currency)))
    INTO v_debit_codes, v_credit_codes, v_currencies, v_debit_ids, v_credit_ids FROM (SELECT DISTINCT debit, credit, currency FROM unnest(p_moves)) p;
  SELECT array_agg(code), array_agg(currency) INTO absent_codes, absent_currencies FROM (
    SELECT debit, currency FROM unnest(v_debit_codes, v_currencies, v_debit_ids) d(debit, currency, id) WHERE id IS NULL UNION
    SELECT credit, currency FROM unnest(v_credit_codes, v_currencies, v_credit_ids) c(credit, currency, id) WHERE id IS NULL) m(code, currency);
  IF absent_codes IS NOT NULL OR p_moves IS NULL THEN RETURN; END IF;
  PERFORM set_config('enable_nestloop', 'off', true);                         -- sets against sets: what a function gives is taken for a few rows
  WITH moves AS MATERIALIZED (
    SELECT m.key, m.n::smallint n, a.debit_id debit, a.credit_id credit, m.currency, m.amount_minor, m.subject, m.on_day, m.happened_on FROM unnest(p_moves) m
    JOIN unnest(v_debit_codes, v_credit_codes, v_currencies, v_debit_ids, v_credit_ids) a(debit, credit, currency, debit_id, credit_id)
      USING (debit, credit, currency)),
  entry AS MATERIALIZED (
    SELECT key, min(on_day) on_day, min(happened_on) happened_on, sha256(ledger_head(p_book, p_kind, key, min(on_day), NULL) || int4send(count(*)::int)
        || string_agg(ledger_leg(debit, credit, currency, amount_minor, subject), ''::bytea ORDER BY n)) hash
    FROM moves GROUP BY key ORDER BY key),                                    -- keys in order: no deadlock
  fresh AS (
    INSERT INTO ledger_transaction (book_id, kind, idem_key, content_hash, effective_on, actor, note)
      SELECT p_book, p_kind, key, hash, on_day, p_actor, CASE WHEN happened_on IS NOT NULL THEN jsonb_build_object('happened_on', happened_on) END FROM entry
      ON CONFLICT (book_id, idem_key) DO NOTHING RETURNING id, idem_key, effective_on),
  unsealed AS (INSERT INTO ledger_unsealed SELECT p_book, id FROM fresh),
  legs AS (
    INSERT INTO ledger_posting SELECT p_book, f.id, n, debit, credit, currency, amount_minor, subject FROM fresh f JOIN moves ON key = f.idem_key
      RETURNING debit_id, credit_id, amount_minor),
  known AS (SELECT array_agg(key) keys, array_agg(hash) hashes FROM entry WHERE key NOT IN (SELECT f.idem_key FROM fresh f)),
  moved AS (
    SELECT account, sum(d)::bigint d, sum(c)::bigint c FROM (
      SELECT debit_id account, amount_minor d, 0 c FROM legs UNION ALL SELECT credit_id, 0, amount_minor FROM legs) x GROUP BY account)
  SELECT (SELECT count(*) FROM entry), (SELECT array_agg(DISTINCT effective_on) FROM fresh), k.keys, k.hashes, array_agg(account), array_agg(d), array_agg(c)
    INTO entries, v_days, v_keys, v_hashes, v_accounts, v_debits, v_credits FROM known k LEFT JOIN moved ON true GROUP BY k.keys, k.hashes;
  PERFORM set_config('enable_nestloop', 'on', true);
  IF v_keys IS NOT NULL THEN                                                  -- posted before: same content, same answer; other content, refused
    SELECT min(key) INTO v_key FROM unnest(v_keys, v_hashes) e(key, hash) JOIN ledger_transaction t ON (t.book_id, t.idem_key) = (p_book, key)
      WHERE t.content_hash <> hash;
    IF v_key IS NOT NULL THEN RAISE EXCEPTION 'key % was used with other content', v_key USING ERRCODE = 'FM001'; END IF;
    IF v_days IS NULL THEN RETURN; END IF;
  END IF;
  PERFORM ledger_needs_open_days(array_fill(p_book, ARRAY[cardinality(v_days)]), v_days);
  PERFORM ledger_move_balances(array_fill(p_book, ARRAY[cardinality(v_accounts)]), v_accounts, v_debits, v_credits);
END $$;
"""
_INNER = "ledger_needs_open_days(bigint[], date[]), ledger_move_balances(bigint[], bigint[], bigint[], bigint[])"
_SET = "ledger_post_set(bigint, text, text, ledger_move[])"


def upgrade() -> None:
    """Apply."""
    op.execute(_INLINED.format(volatility="STABLE"))
    for step in (_CHECKS, _OPEN_DAYS, _BALANCES, _POST, _POST_SET):
        op.execute(step)
    op.execute(f"REVOKE ALL ON FUNCTION {_INNER}, {_SET} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {_SET} TO market_app")


def downgrade() -> None:
    """Take back."""
    post: str = import_module("migrations.versions.0021_sets")._POST
    op.execute(post.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))
    op.execute(f"DROP FUNCTION {_INNER}, {_SET}")
    op.execute("DROP TYPE ledger_move")
    op.execute(_CHECKS_BACK)
    op.execute(_INLINED.format(volatility="IMMUTABLE"))
