"""`python -m reporting run | serve | relay | consume | migrate`."""

from servicekit.cli import main

from reporting.main import create_service
from reporting.settings import Settings

main("reporting", create_service, Settings)
