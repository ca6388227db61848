"""The command lines behind make: what is refused is told in one line, by the names that make has for it."""

import argparse
import re
from collections.abc import Callable, Sequence
from typing import NoReturn

FEW = 20
"""Names that a line can hold."""


class Command(argparse.ArgumentParser):
    """A parser whose refusal is one line; `--port` is called PORT there."""

    def error(self, message: str) -> NoReturn:
        """Ends with 2."""
        told = re.sub(r"^argument --([\w-]+): ", lambda found: f"{found[1].upper()}: ", message)
        self.exit(2, f"{self.prog.removeprefix('python -m ')}: {told}\n")


def a_port(word: str) -> int:
    """For `type=`: a port that one can ask for."""
    if not (word.isdecimal() and 1 <= int(word) <= 65_535):
        raise argparse.ArgumentTypeError(f"{word!r} is no port: a number from 1 to 65535")
    return int(word)


def part_of(names: Sequence[str]) -> Callable[[str], str]:
    """For `type=`: what one of the names contains, so that nothing isn't chosen and called done."""

    def check(word: str) -> str:
        if not any(word in name for name in names):
            told = ", ".join(names) if len(names) <= FEW else f"{names[0]}, {names[1]} and {len(names) - 2} more"
            raise argparse.ArgumentTypeError(f"{word!r} is in no name: {told}")
        return word

    return check
