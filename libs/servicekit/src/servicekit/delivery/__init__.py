"""Facts out and in: outbox, relay, inbox, consumer, parked keys. Imports no web framework."""
