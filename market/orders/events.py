"""What orders announce; payloads are ids."""

PLACED = "orders.placed"
AUTHORISED = "orders.authorised"
PACKED = "orders.packed"
PAID = "orders.paid"
UNPAID = "orders.unpaid"  # order_id, times: its payment was taken back
SHIPPED = "orders.shipped"
REFUNDED = "orders.refunded"
CHANGED = "orders.changed"
CANCELLED = "orders.cancelled"
SETTLED = "orders.settled"
SUBSTITUTE_OFFERED = "orders.substitute_offered"
PROBLEM = "orders.problem"
