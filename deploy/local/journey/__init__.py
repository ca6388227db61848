"""Walks the journey over HTTP as real clients would, and makes the history that the figures need."""
