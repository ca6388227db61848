"""A published answer as dialog knows it: something that the asker may take back as long as it stands."""

from dataclasses import dataclass, replace
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Publication:
    """Has a life of its own: it outlives the question, and its id is unrelated to the question's."""

    id: UUID
    told: int
    """Facts told about it so far."""
    receipt_hash: bytes
    """Of the asker's receipt code: proof enough to take the text back, also after the question is gone."""

    def recall(self) -> "Publication":
        return replace(self, told=self.told + 1)
