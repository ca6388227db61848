"""What the tests of helpjourney stand on: a migrated database of its own per test."""

import sys
from pathlib import Path

from servicekit.testing import service_database

sys.path.append(str(Path(__file__).parent))  # for helpjourney_givens

database = service_database("helpjourney")
