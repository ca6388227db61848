"""`python -m dialog run | serve | relay | consume | migrate | parked`."""

from servicekit.cli import main

from dialog.main import create_service
from dialog.settings import Settings

main("dialog", create_service, Settings)
