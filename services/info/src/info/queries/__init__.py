"""Reads: rows to what pages and programs show."""
