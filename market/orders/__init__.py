"""Baskets, orders, and one seller order per producer, from the first line to the day the producer is owed.

Owns `basket_line`, `orders`, `seller_order`, `order_line`, `price_component`, `withdrawn_line`. What a buyer agreed to is
frozen in lines and components when the order is placed; reports and refunds read those rows, never today's prices. The database
holds that components sum to their line (law 4), that refunds never exceed what was charged, and that states only move forward.
"""
