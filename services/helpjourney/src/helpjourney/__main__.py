"""`python -m helpjourney run | serve | relay | consume | migrate | parked`."""

from servicekit.cli import main

from helpjourney.main import create_service
from helpjourney.settings import Settings

main("helpjourney", create_service, Settings)
