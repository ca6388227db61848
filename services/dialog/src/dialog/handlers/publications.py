"""An editor approves a question and its answer for the open pages, if the asker said yes."""

from dataclasses import dataclass
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from contracts.dialog import AnswerApproved
from servicekit.delivery.outbox import UnitOfWork

from dialog.domain.publications import Publication
from dialog.domain.questions import Answerer, EditorOnlyError
from dialog.store.publications import add_publication
from dialog.store.questions import lock_question, save_question

LOCAL_TIME = ZoneInfo("Europe/Oslo")


@dataclass(frozen=True, slots=True)
class ApproveAnswer:
    question_id: UUID
    editor: Answerer
    title: str
    question: str
    answer: str


async def approve_answer(command: ApproveAnswer, uow: UnitOfWork) -> UUID:
    """Tells the public text under a new random id, unrelated to the question's; answers the id.

    Raises QuestionNotFoundError, EditorOnlyError, NotForPublishingError, AlreadyPublishedError.
    """
    if not command.editor.is_editor:
        raise EditorOnlyError
    question = await lock_question(uow.connection, command.question_id)
    publication = Publication(uuid4(), 1, question.receipt_hash)
    published = question.publish_as(publication.id)
    if published.answered_at is None or published.answered_by is None:
        raise AssertionError("an answered question has a time and an answerer")
    fact = AnswerApproved(
        publication_id=publication.id,
        title=command.title,
        question=command.question,
        answer=command.answer,
        topic_code=published.topic_code,
        language=published.language,
        age_band=published.age_band,
        answered_on=published.answered_at.astimezone(LOCAL_TIME).date(),
        answered_by=published.answered_by,
    )
    uow.tell(fact, key=publication.id, sequence=publication.told)
    await add_publication(uow.connection, publication)
    await save_question(uow.connection, published)
    return publication.id
