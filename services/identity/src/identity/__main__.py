"""`python -m identity run | serve | relay | consume | migrate | parked`."""

from servicekit.cli import main

from identity.main import create_service
from identity.settings import Settings

main("identity", create_service, Settings)
