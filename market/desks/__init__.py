"""What staff keep for their own work: saved views of lists, who sees to what, reports being made, the site's switch.

Owns `saved_view`, `assignment`, `report_job`, `site_switch`. A view is one person's. A thing has one owner at most. A report
is made once and kept until its owner throws it away. The switch is one row: while it is set, nothing is written from outside.
"""
