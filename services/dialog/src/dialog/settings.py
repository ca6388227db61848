"""Environment of the dialog service; each limit says its unit and who decides it."""

from datetime import timedelta

from pydantic import Field
from servicekit.settings import ServiceSettings

from dialog.domain.questions import QuestionLimits


class Settings(ServiceSettings):
    """Read from the environment, without a prefix."""

    question_capacity: int = Field(
        default=2000,
        gt=0,
        description="Unanswered questions the panel takes at once; above it the page says full. Owner: the panel's editors",
    )
    questions_per_hour: int = Field(
        default=3,
        gt=0,
        description="Questions of one browser session in 60 minutes. Never counted by address: a school shares one. Owner: dialog",
    )
    answered_kept_days: int = Field(
        default=30, gt=0, description="Days from answer to deletion of question and answer. Owner: Helsedirektoratet, data protection"
    )
    unanswered_kept_days: int = Field(
        default=90, gt=0, description="Days from asked to deletion when nobody answered. Owner: Helsedirektoratet, data protection"
    )
    wrong_codes_per_hour: int = Field(
        default=20, gt=0, description="Receipt codes without an answer that one browser session may try in 60 minutes. Owner: dialog"
    )
    wrong_codes_per_minute: int = Field(
        default=300,
        gt=0,
        description="Codes without an answer that all browsers together try in a minute before each may only try a few. Owner: dialog",
    )

    @property
    def question_limits(self) -> QuestionLimits:
        return QuestionLimits(
            self.question_capacity,
            self.questions_per_hour,
            timedelta(days=self.answered_kept_days),
            timedelta(days=self.unanswered_kept_days),
            self.wrong_codes_per_hour,
            self.wrong_codes_per_minute,
        )
