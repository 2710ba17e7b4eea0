"""What orders announce; payloads are ids."""

PLACED = "orders.placed"
PAID = "orders.paid"
SHIPPED = "orders.shipped"
REFUNDED = "orders.refunded"
CANCELLED = "orders.cancelled"
SETTLED = "orders.settled"
PROBLEM = "orders.problem"
