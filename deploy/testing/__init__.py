"""For the tests of every folder: real PostgreSQL and Kafka as fixtures, a database for each test, golden examples, records, waiting."""

from deploy.testing.databases import Database, Templates, service_database
from deploy.testing.golden import GoldenExample, golden_examples
from deploy.testing.records import Told, record_of, told
from deploy.testing.waiting import Standstill, settled, until

__all__ = [
    "Database",
    "GoldenExample",
    "Standstill",
    "Templates",
    "Told",
    "golden_examples",
    "record_of",
    "service_database",
    "settled",
    "told",
    "until",
]
