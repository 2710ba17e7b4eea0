"""Sets: the books take columns instead of a document, and a payout run names its payouts inside the database.

100,000 entries are a handful of statements then, and nothing of a run travels to Python and back.
"""

from importlib import import_module

from alembic import op

revision = "0021_sets"
down_revision = "0020_buyers"

_DROP_OLD = "DROP FUNCTION ledger_post(jsonb)"
# The bytes of money.md 1.3, in two parts that PostgreSQL can write into the statement that uses them.
_BYTES = r"""
CREATE FUNCTION ledger_head(book bigint, kind text, key text, on_day date, reverses bigint) RETURNS bytea IMMUTABLE LANGUAGE sql AS $$
  SELECT '\x0000000b666d2d6c65646765722d31'::bytea || int8send(book) || ledger_text(kind) || ledger_text(key) || int4send(on_day - DATE '1970-01-01')
    || int8send(coalesce(reverses, 0)) $$;
CREATE FUNCTION ledger_leg(debit bigint, credit bigint, currency text, amount bigint, subject uuid) RETURNS bytea IMMUTABLE LANGUAGE sql AS $$
  SELECT int8send(debit) || int8send(credit) || ledger_text(currency) || int8send(amount) || uuid_send(coalesce(subject, '00000000-0000-0000-0000-000000000000')) $$;
"""
# What market.kernel.ids and market.kernel.references compute, for rows that are made here; a test holds both against each other.
_NAMES = r"""
CREATE FUNCTION market_nth_id(first uuid, n bigint) RETURNS uuid IMMUTABLE LANGUAGE sql AS $$
  SELECT encode(substring(uuid_send(first) FROM 1 FOR 8) || int8send(('x' || encode(substring(uuid_send(first) FROM 9), 'hex'))::bit(64)::bigint + n), 'hex')::uuid $$;
CREATE FUNCTION market_derived_id(name text) RETURNS uuid IMMUTABLE LANGUAGE sql AS $$
  SELECT encode(set_byte(set_byte(h, 6, get_byte(h, 6) & 15 | 64), 8, get_byte(h, 8) & 63 | 128), 'hex')::uuid
  FROM substring(sha256(convert_to(name, 'UTF8')) FROM 1 FOR 16) h $$;
CREATE FUNCTION market_reference(kind int, number bigint) RETURNS text IMMUTABLE LANGUAGE sql AS $$
  SELECT 'RF' || lpad((98 - ((kind * 1000000000::bigint + number) * 1000000 + 271500) % 97)::text, 2, '0') || kind * 1000000000::bigint + number $$;
"""
_POST = r"""
CREATE FUNCTION ledger_post(p_books bigint[], p_kinds text[], p_keys text[], p_days date[], p_actors text[], p_reverses bigint[], p_notes jsonb[], p_counts int[],
  p_debits bigint[], p_credits bigint[], p_currencies text[], p_amounts bigint[], p_subjects uuid[])
RETURNS bigint[] LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
-- Entries in columns, and their legs one after the other: the first p_counts[1] legs belong to the first entry. Returns ids in the order of the entries.
-- Each step is one statement over all entries. Arrays are walked side by side, never joined by position: that would grow with the square of the entries.
DECLARE r record; v_ids bigint[]; v_fresh bigint[]; v_hashes bytea[]; v_count bigint; v_key text; v_slot int := pg_backend_pid();
  v_entry bigint[]; v_n int[]; v_leg_books bigint[]; v_leg_ids bigint[]; v_books bigint[]; v_accounts bigint[]; v_debits bigint[]; v_credits bigint[];
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
  WITH fresh AS (
    INSERT INTO ledger_transaction (book_id, id, kind, idem_key, content_hash, effective_on, reverses_id, actor, note) OVERRIDING SYSTEM VALUE
      SELECT book, id, kind, key, hash, on_day, reverses, actor, note
      FROM unnest(p_books, v_ids, p_kinds, p_keys, v_hashes, p_days, p_reverses, p_actors, p_notes) e(book, id, kind, key, hash, on_day, reverses, actor, note)
      ORDER BY book, key                                                      -- keys in order: no deadlock
      ON CONFLICT (book_id, idem_key) DO NOTHING RETURNING 1)
    SELECT count(*) INTO v_count FROM fresh;
  v_fresh := v_ids;
  IF v_count < cardinality(p_keys) THEN                                       -- posted before: same content, same answer; other content, refused
    SELECT array_agg(t.id ORDER BY i), array_agg(CASE WHEN t.id = mine THEN t.id END ORDER BY i), min(key) FILTER (WHERE t.content_hash <> hash)
      INTO v_ids, v_fresh, v_key FROM unnest(p_books, p_keys, v_ids, v_hashes) WITH ORDINALITY e(book, key, mine, hash, i)
      JOIN ledger_transaction t ON (t.book_id, t.idem_key) = (book, key);
    IF v_key IS NOT NULL THEN RAISE EXCEPTION 'key % was used with other content', v_key USING ERRCODE = 'FM001'; END IF;
    IF v_count = 0 THEN RETURN v_ids; END IF;
  END IF;
  PERFORM pg_advisory_xact_lock_shared(7201, book::int) FROM (                -- closing a period takes this lock exclusively
    SELECT DISTINCT book FROM unnest(p_books, v_fresh) e(book, id) WHERE id IS NOT NULL ORDER BY book) b;
  SELECT e.on_day, e.book INTO r FROM (SELECT DISTINCT book, on_day FROM unnest(p_books, p_days, v_fresh) x(book, on_day, id) WHERE id IS NOT NULL) e
    WHERE NOT EXISTS (SELECT FROM ledger_period d WHERE d.book_id = e.book AND e.on_day BETWEEN d.starts_on AND d.ends_on AND d.state = 'open') LIMIT 1;
  IF FOUND THEN RAISE EXCEPTION 'no open period for % in book %', r.on_day, r.book USING ERRCODE = 'FM002'; END IF;
  SELECT array_agg(book ORDER BY i, n), array_agg(id ORDER BY i, n) INTO v_leg_books, v_leg_ids
    FROM unnest(p_books, v_fresh, p_counts) WITH ORDINALITY e(book, id, legs, i), generate_series(1, legs) n;
  INSERT INTO ledger_posting SELECT book, id, n, debit, credit, currency, amount, subject
    FROM unnest(v_leg_books, v_leg_ids, v_n, p_debits, p_credits, p_currencies, p_amounts, p_subjects) l(book, id, n, debit, credit, currency, amount, subject)
    WHERE id IS NOT NULL;
  FOR r IN SELECT * FROM unnest(p_books, v_fresh, p_reverses, p_keys) e(book, id, reverses, key) WHERE id IS NOT NULL AND reverses IS NOT NULL LOOP
    IF EXISTS (
        SELECT FROM (SELECT * FROM ledger_posting WHERE book_id = r.book AND transaction_id = r.id) a
        FULL JOIN (SELECT * FROM ledger_posting WHERE book_id = r.book AND transaction_id = r.reverses) o USING (n)
        WHERE (a.debit_id, a.credit_id, a.currency, a.amount_minor, a.subject) IS DISTINCT FROM (o.credit_id, o.debit_id, o.currency, o.amount_minor, o.subject)
        UNION ALL SELECT FROM ledger_transaction WHERE book_id = r.book AND id = r.reverses AND reverses_id IS NOT NULL)
    THEN RAISE EXCEPTION '% is not the exact mirror of an original', r.key USING ERRCODE = 'FM003'; END IF;
  END LOOP;
  INSERT INTO ledger_unsealed SELECT book, id FROM unnest(p_books, v_fresh) e(book, id) WHERE id IS NOT NULL;
  SELECT array_agg(book ORDER BY book, account), array_agg(account ORDER BY book, account), array_agg(d ORDER BY book, account), array_agg(c ORDER BY book, account)
    INTO v_books, v_accounts, v_debits, v_credits FROM (
      SELECT book, account, sum(d)::bigint d, sum(c)::bigint c FROM (
        SELECT book, debit account, amount d, 0 c FROM unnest(v_leg_books, v_leg_ids, p_debits, p_amounts) l(book, id, debit, amount) WHERE id IS NOT NULL
        UNION ALL SELECT book, credit, 0, amount FROM unnest(v_leg_books, v_leg_ids, p_credits, p_amounts) l(book, id, credit, amount) WHERE id IS NOT NULL) x
      GROUP BY book, account) m;
  PERFORM FROM unnest(v_books, v_accounts) m(book, account) JOIN ledger_account a ON (a.book_id, a.id) = (book, account)
    JOIN ledger_balance b ON (b.book_id, b.account_id, b.slot) = (a.book_id, a.id, CASE WHEN a.slots > 1 THEN v_slot % a.slots ELSE 0 END)
    ORDER BY a.slots > 1, b.book_id, b.account_id FOR UPDATE OF b;            -- cold rows first, by id: no deadlock
  WITH done AS (
    UPDATE ledger_balance b SET debits_minor = debits_minor + d, credits_minor = credits_minor + c, version = version + 1
      FROM unnest(v_books, v_accounts, v_debits, v_credits) m(book, account, d, c) JOIN ledger_account a ON (a.book_id, a.id) = (book, account)
      WHERE (b.book_id, b.account_id, b.slot) = (book, account, CASE WHEN a.slots > 1 THEN v_slot % a.slots ELSE 0 END)
      RETURNING a.*, d, c, a.side * (b.debits_minor - b.credits_minor) AS stands)   -- limits are read after the row lock (L-7)
  SELECT code, stands, floor_minor, ceiling_minor INTO r FROM done WHERE slots = 1
    AND (stands < floor_minor AND side * (d - c) < 0 OR stands > ceiling_minor AND side * (d - c) > 0) ORDER BY book_id, id LIMIT 1;
  IF FOUND THEN RAISE EXCEPTION 'account % would be at % (limits % to %)', r.code, r.stands, r.floor_minor, r.ceiling_minor USING ERRCODE = 'FM004'; END IF;
  RETURN v_ids;
END $$;
"""
# The key and the UETR of a payout follow from its id: unique by construction, without an index each to keep up.
_FIXED = (
    "number, coop_id, payee_id, rail, currency, gross_minor, deducted_minor, amount_minor, source_account, details, reference"
)
_FOLLOWS = f"""
DROP TRIGGER fixed ON payout;
ALTER TABLE payout DROP COLUMN idem_key, DROP COLUMN uetr;
ALTER TABLE payout ADD COLUMN idem_key text NOT NULL GENERATED ALWAYS AS ('po-' || id::text || '-v1') STORED,
  ADD COLUMN uetr uuid NOT NULL GENERATED ALWAYS AS (market_derived_id('uetr:' || id::text)) STORED;
CREATE TRIGGER fixed BEFORE DELETE OR UPDATE OF id, run_id, {_FIXED} ON payout FOR EACH ROW EXECUTE FUNCTION market_refuse_change();
"""
_WRITTEN = f"""
DROP TRIGGER fixed ON payout;
ALTER TABLE payout ALTER COLUMN idem_key DROP EXPRESSION, ALTER COLUMN uetr DROP EXPRESSION;
ALTER TABLE payout ADD CONSTRAINT payout_idem_key_key UNIQUE (idem_key), ADD CONSTRAINT payout_uetr_key UNIQUE (uetr);
CREATE TRIGGER fixed BEFORE DELETE OR UPDATE OF run_id, {_FIXED}, idem_key, uetr ON payout FOR EACH ROW EXECUTE FUNCTION market_refuse_change();
"""
# Indexes that each payout of a run had to be entered in and nobody looked anything up by.
_LESS = """
DROP INDEX payout_coop_id_idx, payout_item_coop_id_idx;
CREATE INDEX payout_ended ON payout (coop_id, state) WHERE state IN ('settled', 'failed', 'cancelled', 'returned');
ALTER TABLE payout DROP CONSTRAINT payout_rail_provider_ref_key;
CREATE UNIQUE INDEX payout_provider_ref ON payout (rail, provider_ref) WHERE provider_ref IS NOT NULL;
"""
_MORE = """
CREATE INDEX payout_coop_id_idx ON payout (coop_id);
CREATE INDEX payout_item_coop_id_idx ON payout_item (coop_id);
DROP INDEX payout_ended, payout_provider_ref;
ALTER TABLE payout ADD CONSTRAINT payout_rail_provider_ref_key UNIQUE (rail, provider_ref);
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_DROP_OLD)
    op.execute(_BYTES)
    op.execute(_NAMES)
    op.execute(_FOLLOWS)
    op.execute(_LESS)
    op.execute(_POST)
    op.execute("REVOKE ALL ON FUNCTION ledger_post FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION ledger_post TO market_app")


def downgrade() -> None:
    """Take back."""
    rules: str = import_module("migrations.versions.0003_ledger")._RULES
    op.execute(_MORE)
    op.execute(_WRITTEN)
    op.execute("DROP FUNCTION ledger_post, ledger_head, ledger_leg, market_nth_id, market_derived_id, market_reference")
    op.execute(rules[rules.index("CREATE FUNCTION ledger_post(") :])
    op.execute("REVOKE ALL ON FUNCTION ledger_post FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION ledger_post TO market_app")
