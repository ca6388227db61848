"""What of Kafka belongs to the platform: topics and principals, from the catalogue."""
