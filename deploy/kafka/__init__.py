"""What Kafka must hold before any service starts."""
