"""Real parts for tests: PostgreSQL, Kafka, a database per test."""
