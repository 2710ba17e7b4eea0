-- A desk at full size, one INSERT a table; the named parameters are filled in by bench/rows/desk.py.
-- people
INSERT INTO account (id, email, name, created_at) VALUES (%(person)s, 'desk@bench.example', 'Desk', %(now)s);
INSERT INTO account_role (id, account_id, role, coop_id, granted_by, granted_at)
  SELECT gen_random_uuid(), %(person)s, r, %(coop)s, 'bench', %(now)s FROM unnest(ARRAY['preparer', 'approver']) r;
INSERT INTO login_user (account_id, email, password, fs_uniquifier) VALUES (%(person)s, 'desk@bench.example', '', 'desk');
INSERT INTO producer (id, coop_id, slug, name, region, created_at)
  SELECT gen_random_uuid(), %(coop)s, 'member-' || n, 'Member ' || n, 'Huila', %(now)s FROM generate_series(1, 400) n;
INSERT INTO member (id, coop_id, producer_id, number, joined_on)
  SELECT gen_random_uuid(), %(coop)s, id, row_number() OVER (), DATE '2026-01-01' FROM producer WHERE coop_id = %(coop)s;

-- orders
CREATE TEMP TABLE made AS SELECT n, gen_random_uuid() AS order_id, gen_random_uuid() AS seller_id,
    (ARRAY(SELECT id FROM producer WHERE coop_id = %(coop)s))[1 + n %% 400] AS producer_id,
    %(now)s::timestamptz - make_interval(mins => n * 5) AS at, 1000 + (n * 7919) %% 90000 AS goods,
    CASE WHEN n < 40 THEN 'placed' WHEN n < 240 THEN 'paid' WHEN n < 900 THEN 'shipped' ELSE 'settled' END AS state
  FROM generate_series(1, %(orders)s) n;
INSERT INTO orders (id, email, name, street, building, postcode, town, country, locale, currency, total_minor, method, state,
                    placed_at, expires_at, paid_at)
  SELECT order_id, 'buyer' || n %% 5000 || '@example.org', 'Buyer ' || (ARRAY['Weber', 'Okoro', 'Silva', 'Haile', 'Moreau'])[1 + n %% 5]
    || ' ' || n %% 5000, 'Street', '1', '10115', 'Berlin', 'DE', 'en', 'EUR', goods + 1500, 'card',
    CASE state WHEN 'placed' THEN 'placed' ELSE 'paid' END, at, at + interval '1 hour', CASE state WHEN 'placed' THEN NULL ELSE at END
  FROM made ORDER BY n DESC;
INSERT INTO seller_order (id, coop_id, order_id, producer_id, position, state, currency, goods_minor, premium_minor, charges_minor,
                          tax_minor, placed_at)
  SELECT seller_id, %(coop)s, order_id, producer_id, 1, state, 'EUR', goods, 800, 500, 200, at FROM made ORDER BY n DESC;
INSERT INTO order_line (id, coop_id, order_id, seller_order_id, listing_id, lot_id, title, unit, quantity, unit_price, currency,
                        total_minor, stock_quantity, check_ids)
  SELECT seller_id, %(coop)s, order_id, seller_id, l.id, l.lot_id, l.title, 'kg', 1, goods / 100.0, 'EUR', goods + 1500, 1, '{}'
  FROM made, (SELECT id, lot_id, title FROM listing WHERE coop_id = %(coop)s LIMIT 1) l WHERE n <= 2000;
INSERT INTO price_component (order_line_id, seq, kind, label, amount_minor, currency, payer, payee, rule_version)
  SELECT seller_id, p.seq, p.kind, p.kind, CASE p.seq WHEN 1 THEN goods ELSE p.minor END, 'EUR', 'buyer', p.payee, 1 FROM made,
    (VALUES (1, 'producer_goods', 0, 'producer'), (2, 'premium', 800, 'fund'), (3, 'coop_service', 500, 'coop'), (4, 'tax', 200, 'state'))
    p (seq, kind, minor, payee) WHERE n <= 2000;
-- what is owed: the last weeks' sales are open, some of them late; and who the sellers are for the tax office, but a few
INSERT INTO payable (id, coop_id, payee_id, currency, amount_minor, kind, due_on, source_kind, source_id, state, taken_by, raised_at)
  SELECT gen_random_uuid(), %(coop)s, producer_id, 'EUR', goods, 'sale', DATE '2026-12-02' - n / 600, 'seller_order', seller_id,
    CASE WHEN n < %(owed)s THEN 'open' ELSE 'paid' END, CASE WHEN n < %(owed)s THEN NULL ELSE seller_id END, at FROM made;
INSERT INTO tax_identity (producer_id, coop_id, legal_name, street, town, country, tax_number, tax_country, born_on, entered_by,
                          entered_at)
  SELECT producer_id, %(coop)s, 'Member', 'Street 1', 'Neiva', 'CO', '123', 'CO', DATE '1980-01-01', 'bench', %(now)s
  FROM member WHERE coop_id = %(coop)s AND number > 20;
-- refunds
INSERT INTO payment (id, subject_kind, subject_id, method, state, currency, amount_minor, received_minor, title, idem_key, opened_at,
                     expires_at, paid_at, acknowledged_at)
  SELECT order_id, 'order', order_id, 'card', 'succeeded', 'EUR', goods + 1500, goods + 1500, 'Order ' || n, 'bench:' || n, at, at, at, at
  FROM made WHERE n BETWEEN 1000 AND 3000;
INSERT INTO payment_part (payment_id, subject_id, coop_id, currency, goods_minor, premium_minor, charges_minor, tax_minor)
  SELECT order_id, seller_id, %(coop)s, 'EUR', goods, 800, 500, 200 FROM made WHERE n BETWEEN 1000 AND 3000;
INSERT INTO refund (id, payment_id, subject_id, coop_id, kind, method, state, currency, amount_minor, goods_minor, reason, bearer,
                    decided_by, decided_at, idem_key, paid_at)
  SELECT gen_random_uuid(), order_id, seller_id, %(coop)s, 'part', 'card', CASE WHEN n < 1020 THEN 'failed' ELSE 'paid' END, 'EUR', 500,
    500, 'a broken bag', 'coop', 'bench', at, 'bench:' || n, at FROM made WHERE n BETWEEN 1000 AND 3000;

-- payouts
CREATE TEMP TABLE run AS SELECT n, gen_random_uuid() AS id FROM generate_series(1, 10) n;
INSERT INTO payout_run (id, coop_id, number, due_by, execute_on, totals, skipped, list_sha256, prepared_by, prepared_at, state,
                        approved_by, approved_at)
  SELECT id, %(coop)s, 700000 + n, DATE '2026-10-01' + n, DATE '2026-10-01' + n, '{}', '[]', repeat('0', 64), 'account:a', %(now)s,
    'approved', 'account:b', %(now)s FROM run;
CREATE TEMP TABLE paid AS SELECT n, gen_random_uuid() AS id, 2000 + (n * 7919) %% 90000 AS minor FROM generate_series(1, 5000) n;
INSERT INTO payout (id, coop_id, run_id, number, payee_id, rail, currency, gross_minor, amount_minor, source_account, details,
                    reference, state, changed_at, settled_on)
  SELECT p.id, %(coop)s, r.id, 700000000 + p.n, (ARRAY(SELECT id FROM producer WHERE coop_id = %(coop)s))[1 + p.n %% 400], 'sepa', 'EUR',
    minor, minor, 'x', '{"holder": "Member", "iban": "DE89370400440532013000"}', 'RFBENCH' || p.n,
    CASE WHEN p.n <= 3000 THEN 'sent' ELSE 'settled' END, %(now)s, CASE WHEN p.n <= 3000 THEN NULL ELSE DATE '2026-10-20' END
  FROM paid p JOIN run r ON r.n = 1 + p.n %% 10;

-- lines
INSERT INTO money_account (id, coop_id, name, iban, currency, mirror, suspense, opened_on, created_at)
  VALUES (%(bank)s, %(coop)s, 'Main account', 'DE02120300000000202051', 'EUR', 'bank:1', 'suspense:1', DATE '2026-01-01', %(now)s);
CREATE TEMP TABLE file AS SELECT gen_random_uuid() AS id, gen_random_uuid() AS statement_id;
INSERT INTO statement_file (id, coop_id, money_account_id, sha256, name, size_bytes, body_zlib, outcome, findings, new_lines, uploaded_by,
                            uploaded_at)
  SELECT id, %(coop)s, %(bank)s, repeat('0', 64), 'bench.xml', 1, '', 'imported', '[]', 5000, 'bench', %(now)s FROM file;
INSERT INTO statement (id, coop_id, money_account_id, file_id, position, number, from_on, to_on, opening_minor, closing_minor,
                       booked_minor, lines, continues)
  SELECT statement_id, %(coop)s, %(bank)s, id, 1, '1', DATE '2026-01-01', DATE '2026-10-31', 0, 0, 0, 5000, true FROM file;
CREATE TEMP TABLE line AS SELECT p.n, gen_random_uuid() AS id, p.id AS payout_id, p.minor FROM paid p;
INSERT INTO statement_line (id, coop_id, money_account_id, statement_id, n, source_line, identity, occurrence, booked_on, amount_minor,
    currency, bank_ref, refs, creditor_refs, batch_refs, batch_count, counterparty_name, counterparty_account, text, bank_code, reversal,
    returned, return_reason, charges_minor, parts, state)
  SELECT l.id, %(coop)s, %(bank)s, f.statement_id, l.n, l.n, gen_random_uuid(), 1, DATE '2026-05-01' + l.n %% 180, -l.minor, 'EUR', '', '{}',
    '{}', '{}', 0, 'Member ' || l.n %% 400, 'DE89370400440532013000', 'payment for goods ' || l.n, '', false, false, '', 0, 0,
    CASE WHEN l.n <= 2000 THEN 'suggested' ELSE 'new' END FROM line l, file f;
INSERT INTO statement_line (id, coop_id, money_account_id, statement_id, n, source_line, identity, occurrence, booked_on, amount_minor,
    currency, bank_ref, refs, creditor_refs, batch_refs, batch_count, counterparty_name, counterparty_account, text, bank_code, reversal,
    returned, return_reason, charges_minor, parts, state, matched_minor)
  SELECT gen_random_uuid(), %(coop)s, %(bank)s, f.statement_id, 10000 + n, n, gen_random_uuid(), 1, DATE '2025-11-01' + n %% 180,
    4000 + n * 7919 %% 90000, 'EUR', 'B' || n, '{}', ARRAY['RFOLD' || n], '{}', 0, 'Buyer ' || n, '', 'order ' || n, '', false, false, '',
    0, 0, 'matched', 4000 + n * 7919 %% 90000 FROM generate_series(1, %(orders)s) n, file f;
INSERT INTO statement_suggestion (id, coop_id, line_id, part, target_kind, target_id, line_minor, fee_minor, kind, rule, evidence, rank)
  SELECT gen_random_uuid(), %(coop)s, l.id, 0, 'payout', p.id, l.minor, 0, 'full', 'amount', '{"amount": "larger", "name": "similar"}', k
  FROM line l JOIN generate_series(0, 2) k ON k <= l.n %% 3 JOIN paid p ON p.n = 1 + (l.n + k) %% 3000 WHERE l.n <= 2000;

-- records
INSERT INTO audit_entry (at, actor, coop_id, action, subject_kind, subject_id, old, new)
  SELECT at, 'account:' || %(person)s, %(coop)s, 'order.changed', 'seller_order', seller_id, '{"state": "paid"}', '{"state": "shipped"}'
  FROM made WHERE n <= 50000 ORDER BY n DESC;
INSERT INTO notification (id, fact, kind, email, name, locale, facts, state, try_at, created_at, sent_at, coop_ids)
  SELECT gen_random_uuid(), 'bench:' || n, 'receipt', 'buyer' || n || '@example.org', 'Buyer', 'en', '{}', 'sent', at, at, at,
    ARRAY[%(coop)s::uuid] FROM made WHERE n <= 20000;

-- the books: what each buyer paid, what it became for the producer, and what was sent of it; and some money that was too much
INSERT INTO ledger_book (coop_id, base_currency) VALUES (%(coop)s, 'EUR') ON CONFLICT DO NOTHING;
CREATE TEMP TABLE book AS SELECT id FROM ledger_book WHERE coop_id = %(coop)s;
INSERT INTO ledger_account (book_id, currency, code, side)
  SELECT book.id, 'EUR', code, side FROM book, (
    SELECT * FROM (VALUES ('bank:1', 1), ('held:goods', -1), ('held:premium', -1), ('held:coop_service', -1), ('in_transit:sepa', -1)) fixed (code, side)
    UNION ALL SELECT 'payable:' || producer_id, -1 FROM member WHERE coop_id = %(coop)s
    UNION ALL SELECT 'buyer_credit:' || order_id, -1 FROM made WHERE n BETWEEN 1000 AND 1199) wanted ON CONFLICT DO NOTHING;
CREATE TEMP TABLE acc AS SELECT a.id, a.code FROM ledger_account a JOIN book ON book.id = a.book_id;
CREATE TEMP TABLE moved AS
  SELECT 3 * (%(orders)s - m.n) + p.step AS tx, p.part, m.n, m.at, p.kind, d.id AS debit, c.id AS credit,
         coalesce(p.minor, m.goods) AS minor, m.seller_id
  FROM made m JOIN (VALUES (1, 1, 'payment', 'bank:1', 'held:goods', NULL), (1, 2, 'payment', 'bank:1', 'held:premium', 800),
    (1, 3, 'payment', 'bank:1', 'held:coop_service', 500), (1, 4, 'payment', 'bank:1', 'buyer_credit:', 100),
    (2, 1, 'release', 'held:goods', 'payable:', NULL)) p (step, part, kind, debit, credit, minor)
    ON CASE WHEN p.step = 2 THEN m.n >= 900 WHEN p.part = 4 THEN m.n BETWEEN 1000 AND 1199 ELSE true END
  JOIN acc d ON d.code = p.debit
  JOIN acc c ON c.code = CASE p.credit WHEN 'payable:' THEN 'payable:' || m.producer_id
                                       WHEN 'buyer_credit:' THEN 'buyer_credit:' || m.order_id ELSE p.credit END;
-- a producer's sales of a week were sent together, a week after the last
INSERT INTO moved
  SELECT 3 * (%(orders)s - w.n) + 3, 1, w.n, %(now)s::timestamptz - make_interval(mins => w.n * 5), 'payout', d.id, c.id, w.minor, w.payout
  FROM (SELECT producer_id, min(n) - 2000 AS n, sum(goods)::bigint AS minor, gen_random_uuid() AS payout FROM made
        WHERE n >= greatest(%(owed)s, 2001) GROUP BY producer_id, date_trunc('week', at)) w
  JOIN acc d ON d.code = 'payable:' || w.producer_id JOIN acc c ON c.code = 'in_transit:sepa';
INSERT INTO ledger_transaction (book_id, id, kind, effective_on, booked_at, idem_key, content_hash, actor) OVERRIDING SYSTEM VALUE
  SELECT book.id, tx, min(kind), min(at)::date, min(at), 'bench:' || tx, sha256(ledger_content(book.id, min(kind), 'bench:' || tx,
    min(at)::date, NULL, jsonb_agg(jsonb_build_array(debit, credit, 'EUR', minor, seller_id) ORDER BY part))), 'bench'
  FROM moved, book GROUP BY book.id, tx ORDER BY tx;
INSERT INTO ledger_posting (book_id, transaction_id, n, debit_id, credit_id, currency, amount_minor, subject)
  SELECT book.id, tx, part, debit, credit, 'EUR', minor, seller_id FROM moved, book ORDER BY tx, part;
UPDATE ledger_balance b SET debits_minor = x.debits, credits_minor = x.credits FROM (
    SELECT id, sum(debit) AS debits, sum(credit) AS credits FROM (
      SELECT debit AS id, minor AS debit, 0 AS credit FROM moved UNION ALL SELECT credit, 0, minor FROM moved) both_sides GROUP BY id) x
  WHERE b.book_id = (SELECT id FROM book) AND b.account_id = x.id AND b.slot = 0;
SELECT setval(pg_get_serial_sequence('ledger_transaction', 'id'), max(id)) FROM ledger_transaction;

-- a price table that waits
CREATE TEMP TABLE batch AS SELECT gen_random_uuid() AS id;
INSERT INTO import_batch (id, profile, scheme, source_name, document_hash, entered_by, entered_at)
  SELECT id, 'official_table_v1', 'fairtrade', 'Bench table', repeat('0', 64), 'bench', %(now)s FROM batch;
INSERT INTO import_row (batch_id, number, row_hash, cells, state, notes, values)
  SELECT id, n, 'bench' || n, jsonb_build_object('Product', 'coffee ' || n), 'accepted', '[]', jsonb_build_object('scheme', 'fairtrade',
    'price_kind', 'FLO', 'product', 'coffee', 'variety', 'arabica', 'form', 'washed green', 'quality', 'conventional', 'geo_level',
    'country', 'geo_code', 'C' || n, 'currency', 'USD', 'unit', 'lb', 'minimum_price', '1.80', 'premium', '0.20', 'valid_from',
    '2026-12-01') FROM batch, generate_series(1, 2000) n
