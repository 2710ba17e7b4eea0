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
LOT_WITHDRAWN = "orders.lot_withdrawn"  # withdrawal_id: orders may hold goods of it
GOODS_WITHDRAWN = "orders.goods_withdrawn"  # withdrawal_id, order_id: it reached this order
LOT_WITHDRAWAL_ENDED = "orders.lot_withdrawal_ended"  # withdrawal_id
PROBLEM = "orders.problem"
