"""Real parts for dialog's tests."""

from servicekit.testing import service_database

database = service_database("dialog")
