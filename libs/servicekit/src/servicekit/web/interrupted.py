"""What interrupts a form on its way: it is told apart from other problems, so that nothing written is lost."""

from collections.abc import Mapping

from servicekit.problems import Problem


class InterruptedFormError(Problem):
    """The form's session is over, or was never logged in. Answered like any problem where nothing was written."""

    def __init__(self, status: int, code: str, *, who: str | None = None, headers: Mapping[str, str] | None = None) -> None:
        """`who`: youth or staff, where a login is needed first."""
        super().__init__(status, code, headers=headers)
        self.who = who
