"""Facts out and in: outbox, relay, inbox, consumer, parked keys and their replay. Imports no web framework."""
