"""What can be seen of delivery from outside. Labels hold codes only."""

from prometheus_client import Counter, Gauge

outbox_rows = Gauge("stegvis_outbox_rows", "Facts that Kafka doesn't have yet")
outbox_oldest_seconds = Gauge("stegvis_outbox_oldest_seconds", "Age of the oldest fact that Kafka doesn't have yet")
relayed = Counter("stegvis_outbox_relayed_total", "Facts that every in-sync replica acknowledged")
applied = Counter("stegvis_events_applied_total", "Events whose effect was committed", ["type"])
ignored = Counter("stegvis_events_ignored_total", "Events that had no effect to commit", ["reason"])
parked_events = Gauge("stegvis_parked_events", "Events that wait for a person, with all later ones of their keys")
parked = Counter("stegvis_events_parked_total", "Events that were parked", ["reason"])
consumer_lag = Gauge("stegvis_consumer_lag", "Records of a partition that this consumer has not applied", ["topic", "partition"])
paused_partitions = Gauge("stegvis_consumer_paused_partitions", "Partitions that wait because an event could not be applied yet")
