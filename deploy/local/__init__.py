"""Real parts as child processes, without containers."""
