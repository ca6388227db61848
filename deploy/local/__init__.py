"""Starts every part of the platform on this machine as child processes: real parts, no containers."""
