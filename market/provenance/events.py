"""What provenance announces."""

LOTS_CHANGED = "provenance.lots_changed"  # lot_ids: ids of lots joined by commas, made, drawn or corrected
CAPTURE_ACCEPTED = "provenance.capture_accepted"  # capture_id: a document waits to be read
