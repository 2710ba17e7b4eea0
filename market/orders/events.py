"""What orders announce; payloads are ids."""

PLACED = "orders.placed"
AUTHORISED = "orders.authorised"
PACKED = "orders.packed"
PAID = "orders.paid"
UNPAID = "orders.unpaid"  # order_id, times: its payment was taken back
SHIPPED = "orders.shipped"
REFUNDED = "orders.refunded"  # seller_order_id, minor: given back this time, upto: in all
CHANGED = "orders.changed"
CANCELLED = "orders.cancelled"
SETTLED = "orders.settled"
SUBSTITUTE_OFFERED = "orders.substitute_offered"
PROBLEM = "orders.problem"
