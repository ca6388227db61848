"""The door out: hands reminders to a sender. Here a file that a sending program reads line by line."""

import asyncio
import json
import os
from dataclasses import dataclass
from pathlib import Path

from helpjourney.domain.reminders import Reminder

FILE_NAME = "reminders.jsonl"


@dataclass(frozen=True, slots=True)
class ReminderFile:
    """Appends one JSON line per reminder to DATA_DIR/reminders.jsonl: id, recipient (a subject, never a name), text, language."""

    directory: Path

    async def send(self, reminder: Reminder) -> None:
        """Returns when the line is on disk. Raises OSError."""
        fields = {
            "id": str(reminder.id),
            "recipient": str(reminder.recipient),
            "text": reminder.text,
            "language": reminder.language,
        }
        await asyncio.to_thread(self._append, (json.dumps(fields, ensure_ascii=False) + "\n").encode())

    def _append(self, line: bytes) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.directory / FILE_NAME, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
