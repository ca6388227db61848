"""Agencies that joined later: a file each, found by the catalogue. It holds an OWNER, its TOPICS, what it READS, and its events."""
