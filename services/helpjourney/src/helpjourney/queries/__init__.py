"""Reads: rows become what a page shows. Nothing here changes anything."""
