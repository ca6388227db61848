"""Use cases of dialog: each command stands above its handler; event handlers are named on_..."""
