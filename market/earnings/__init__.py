"""What members earn and owe beside sales: deliveries, advances, second payments, patronage, offsets, corrections, holds."""
