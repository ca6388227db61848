"""What can be seen of delivery from outside. Labels hold names of the catalogue and codes, nothing else."""

from prometheus_client import Counter, Gauge

outbox_rows = Gauge("stegvis_outbox_rows", "Facts that Kafka doesn't have yet", ["topic"])
outbox_oldest_seconds = Gauge("stegvis_outbox_oldest_seconds", "Age of the oldest fact that Kafka doesn't have yet, seconds", ["topic"])
relayed = Counter("stegvis_outbox_relayed_total", "Facts that every in-sync replica acknowledged", ["topic"])
applied = Counter("stegvis_events_applied_total", "Events whose effect was committed", ["type"])
ignored = Counter("stegvis_events_ignored_total", "Events that had no effect to commit", ["reason"])
parked_events = Gauge("stegvis_parked_events", "Events that wait for a person, with all later ones of their keys", ["topic"])
parked = Counter("stegvis_events_parked_total", "Events that were parked", ["reason"])
consumer_lag = Gauge("stegvis_consumer_lag", "Records of a partition that this consumer has not applied", ["topic", "partition"])
paused_partitions = Gauge("stegvis_consumer_paused_partitions", "Partitions that wait because an event could not be applied yet")
consumer_stalled_seconds = Gauge(
    "stegvis_consumer_stalled_seconds", "How long records of a topic have waited without one being applied, seconds", ["topic"]
)
gone_unread = Counter("stegvis_records_gone_unread_total", "Records that Kafka deleted before this consumer had read them", ["topic"])
