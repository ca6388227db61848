"""Login for youths and staff, sessions, pairwise subjects and tokens."""
