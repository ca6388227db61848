"""Reads of dialog: rows to answers."""
