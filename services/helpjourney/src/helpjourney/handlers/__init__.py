"""Use cases: each command above its handler, event handlers named `on_...`. They raise domain errors and never commit."""
