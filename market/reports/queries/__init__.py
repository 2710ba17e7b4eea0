"""Reads over several capabilities, one module per page or report."""
