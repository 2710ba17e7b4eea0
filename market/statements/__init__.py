"""Bank statements and what their lines mean: import, matching, the exception queue, the close of a period.

Owns `money_account`, `statement_file`, `statement`, `statement_line`, `statement_line_part`, `statement_match`,
`statement_suggestion` and `period_close`. Holds always: the mirror account equals the bank's closing balance; the
suspense account equals the lines not yet explained; the live matches of a line never exceed it (money.md 1.1, 7, 8).
"""
