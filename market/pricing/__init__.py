"""Fair prices: rows of published tables, floors, checks with their arithmetic, and who gets what of a price.

Owns `price_reference`, `price_edition`, `term_alias`, `packaging`, `market_quote`, `fx_evidence`, `coop_floor`,
`import_batch`, `import_row`, `price_check`. Invariants: a row's values never change, a second person activates it, and
one active row stands per key; a missing input never counts as fair; a stored check can be run again from its own inputs;
the parts of a price sum to the price. Almost all of it is rules; the database only remembers.
"""
