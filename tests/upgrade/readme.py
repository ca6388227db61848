"""The README's lines of a release and of the way back, as commands."""

import re
from dataclasses import dataclass

from deploy.checks import ROOT

SERVICE = "reporting"
MOST = 10
BLOCK = re.compile(r"^\*\*Release one service.*?^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Line:
    """One command and what is said of it."""

    command: str
    said: str

    @property
    def stays(self) -> bool:
        """A process that goes on."""
        return self.command.endswith(" run")

    @property
    def variable(self) -> str:
        """What it fills, if it does: `new=$(...)`."""
        return self.command.partition("=$(")[0] if "=$(" in self.command else ""

    @property
    def inner(self) -> str:
        """The command whose answer fills the variable."""
        return self.command.partition("=$(")[2].removesuffix(")")


def lines() -> list[Line]:
    """All of them, in order."""
    [block] = BLOCK.findall((ROOT / "README.md").read_text())
    parts = (line.partition(" # ") for line in block.splitlines())
    return [Line(command.strip(), said.strip()) for command, _, said in parts]
