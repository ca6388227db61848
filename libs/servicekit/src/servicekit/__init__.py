"""Plumbing that the services share; no domain noun in it."""
