"""For tests: a database of its own for each, golden examples, records, waiting. The real parts come from fixtures of `deploy.testing`."""

from servicekit.testing.databases import Database, Templates, service_database
from servicekit.testing.golden import GoldenExample, golden_examples
from servicekit.testing.records import Told, record_of, told
from servicekit.testing.waiting import until

__all__ = ["Database", "GoldenExample", "Templates", "Told", "golden_examples", "record_of", "service_database", "told", "until"]
