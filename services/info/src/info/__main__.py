"""`python -m info run | serve | relay | consume | migrate | seed | parked`."""

from servicekit.cli import main

from info.main import create_service
from info.settings import Settings

main("info", create_service, Settings)
