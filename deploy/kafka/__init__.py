"""What of Kafka belongs to the platform: topics from the catalogue."""
