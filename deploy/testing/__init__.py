"""Real parts for the tests of every folder: PostgreSQL and Kafka, as child processes or in containers, and the fixtures that give them."""
