"""Plumbing that the services share; no domain noun in it.

The promise of delivery: a command answered 2xx is never lost; each event's effect is applied once per consumer; events of one key are
applied in order; nothing stays stuck unnoticed for more than 60 s. Kafka may deliver a record more than once: what is applied is
decided by the database. README.md names the tests that show each sentence.
"""
