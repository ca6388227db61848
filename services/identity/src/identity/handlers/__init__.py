"""Use cases: someone logs in, a service fetches and renews tokens, a login ends."""
