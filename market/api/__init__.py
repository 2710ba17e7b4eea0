"""The public JSON API. `v1` changes only by adding."""
