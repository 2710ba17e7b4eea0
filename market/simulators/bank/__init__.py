"""A bank for tests and the demo: it carries out payment files and writes statements (money.md 6.2, 7).

Nothing in the product imports it; the circle runs on standard files alone.
"""
