"""Composition root of dialog: the only module that knows every room."""

from pathlib import Path

from servicekit.claim_secret import seal_summary
from servicekit.crypto import Vault
from servicekit.keys import Keys, Trust
from servicekit.service import Service
from servicekit.web.relying_party import login_routes
from webkit import Pages

from dialog import consumers, gauges
from dialog.api import chats as chats_api
from dialog.api import questions as questions_api
from dialog.domain.acute import AcuteWords
from dialog.handlers.erasing import ERASERS
from dialog.handlers.questions import QuestionDesk
from dialog.pages import (
    answers,
    approvals,
    chat_live,
    chat_streams,
    chats,
    desk,
    desk_talk,
    front,
    handoffs,
    panel,
    panel_answers,
    questions,
    streams,
)
from dialog.pages.chat_desk import ChatDesk
from dialog.settings import Settings
from dialog.timers import chats as chat_timers
from dialog.timers import questions as question_timers

HERE = Path(__file__).parent


def create_service(settings: Settings) -> Service:
    """Everything that a dialog process is made of."""
    keys = Keys(settings.keys_dir)
    return Service(
        name="dialog",
        settings=settings,
        routers=[
            front.router,
            questions.router,
            answers.router,
            panel.router,
            panel_answers.router,
            approvals.router,
            chats.router,
            chat_streams.router,
            chat_live.router,
            handoffs.router,
            desk.router,
            desk_talk.router,
            questions_api.router,
            chats_api.router,
            login_routes(youth=False, staff=True),
        ],
        handlers=consumers.HANDLERS,
        timers={**question_timers.TIMERS, **chat_timers.timers(settings.border_bucket_seconds)},
        measure=gauges.measure,
        keys=("sig.jwk", "service.key", "vault.key"),
        pages=Pages(
            templates_dir=HERE / "templates",
            locale_dir=HERE / "locale",
            static_dir=HERE / "static",
            service="dialog",
            level="anonymous",
            leave=chat_live.leave_pages,
        ),
        erasers=ERASERS,
        backgrounds=[streams.listening],
        state={
            "questions": QuestionDesk(settings.question_limits, Vault(keys.vault), keys.service, AcuteWords.listed()),
            "chats": _chat_desk(settings, keys),
        },
    )


def _chat_desk(settings: Settings, keys: Keys) -> ChatDesk:
    trust = Trust(settings.trust_dir)

    def seal(summary: str, secret: bytes) -> str:
        return seal_summary(summary, secret, trust.keys("helpjourney", "enc"))

    return ChatDesk(Vault(keys.vault), keys.service, seal, settings.border_bucket_seconds, settings.public_url("helpjourney"))
