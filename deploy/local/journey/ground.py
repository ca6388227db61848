"""What a walk needs to know of the platform it walks on, whether that is child processes or containers."""

from typing import Protocol

from deploy.kafka.access import Access


class Ground(Protocol):
    """A running platform, as somebody outside sees it who may look at everything."""

    @property
    def urls(self) -> dict[str, str]:
        """The public address of each service."""

    @property
    def kafka_admin(self) -> Access:
        """The way in of who may see every topic."""

    def internal(self, service: str) -> str:
        """The base of a service's internal address."""

    def dsn(self, service: str) -> str:
        """The address of one service's database, with its own role."""
