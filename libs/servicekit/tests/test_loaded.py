"""What a process loads: each megabyte stands in every process of every service."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("package", ["alembic", "faststream", "opentelemetry.exporter.otlp", "opentelemetry.instrumentation.sqlalchemy"])
def test_what_only_one_kind_of_process_needs_is_loaded_by_that_one(package):
    """Migrating, consuming, and sending spans to a collector."""
    code = f"import sys, servicekit.cli, servicekit.process; sys.exit({package!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
