"""What info (level 1) tells the world: publications, the register of help services, and how much is read."""

from datetime import date, time
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from contracts.event import AnyChannel, AnyLanguage, AnyPageClass, AnyServiceKind, AnyTopic, Count, Event, Time

PUBLICATIONS = "info.publications.v1"
DIRECTORY = "info.directory.v1"
USAGE = "info.usage.v1"


class ArticlePublished(Event):
    """An article stands on the open pages, new or in a new revision."""

    type: ClassVar[str] = "info.article.published.v1"
    topic: ClassVar[str] = PUBLICATIONS
    publication_id: UUID
    slug: str = Field(max_length=120, description="Last part of the public address")
    title: str = Field(max_length=200, description="Public title")
    topic_code: AnyTopic
    language: AnyLanguage
    reviewed_on: date = Field(description="When the owner last vouched for the content, Europe/Oslo")


class ArticleWithdrawn(Event):
    """An article no longer stands on the open pages."""

    type: ClassVar[str] = "info.article.withdrawn.v1"
    topic: ClassVar[str] = PUBLICATIONS
    publication_id: UUID


class AnswerPublished(Event):
    """An approved answer can be searched and read by everybody."""

    type: ClassVar[str] = "info.answer.published.v1"
    topic: ClassVar[str] = PUBLICATIONS
    publication_id: UUID
    topic_code: AnyTopic
    language: AnyLanguage
    answered_on: date


class AnswerWithdrawn(Event):
    """A published answer was taken away, by the asker's wish or the editor's."""

    type: ClassVar[str] = "info.answer.withdrawn.v1"
    topic: ClassVar[str] = PUBLICATIONS
    publication_id: UUID


class OpeningHours(BaseModel):
    """One shift of one weekday. A service may have several a day."""

    model_config = ConfigDict(frozen=True)
    weekday: Annotated[int, Field(ge=1, le=7, description="ISO 8601: 1 = Monday")]
    opens: time = Field(description="Local time, Europe/Oslo")
    closes: time = Field(description="Local time, Europe/Oslo; earlier than `opens` means after midnight")


class HelpService(BaseModel):
    """An entry of the register, as it travels: names of services, never of persons."""

    model_config = ConfigDict(frozen=True)
    service_id: UUID
    name: str = Field(max_length=120)
    kind: AnyServiceKind
    owner_name: str = Field(max_length=120, description="The organisation that answers for the service")
    owner_number: str = Field(pattern=r"^\d{9}$", description="Organisation number")
    topic_codes: tuple[AnyTopic, ...] = ()
    channels: tuple[AnyChannel, ...] = ()
    languages: tuple[AnyLanguage, ...] = ()
    age_from: int | None = Field(default=None, ge=0, le=120, description="Years, inclusive")
    age_to: int | None = Field(default=None, ge=0, le=120, description="Years, inclusive")
    municipality: str | None = Field(default=None, pattern=r"^\d{4}$", description="SSB KLASS 131; null = the whole country")
    phone: str | None = Field(default=None, max_length=20)
    url: str | None = Field(default=None, max_length=200)
    opening_hours: tuple[OpeningHours, ...] = ()
    always_open: bool = False
    assured_on: date | None = Field(default=None, description="When the owner last vouched for the entry")


class ServiceListed(Event):
    """A help service was taken into the register."""

    type: ClassVar[str] = "info.service.listed.v1"
    topic: ClassVar[str] = DIRECTORY
    service: HelpService


class ServiceChanged(Event):
    """An entry of the register changed; holds the whole entry."""

    type: ClassVar[str] = "info.service.changed.v1"
    topic: ClassVar[str] = DIRECTORY
    service: HelpService


class ServiceDelisted(Event):
    """A help service left the register."""

    type: ClassVar[str] = "info.service.delisted.v1"
    topic: ClassVar[str] = DIRECTORY
    service_id: UUID


class UsageCount(BaseModel):
    """How often one class of page was read in one language."""

    model_config = ConfigDict(frozen=True)
    page_class: AnyPageClass
    language: AnyLanguage
    count: Count


class UsageCounted(Event):
    """Pages read in one bucket of time. Counts of page views: neither sessions nor persons."""

    type: ClassVar[str] = "info.usage.counted.v1"
    topic: ClassVar[str] = USAGE
    bucket_id: UUID
    bucket_start: Time
    bucket_seconds: Annotated[int, Field(gt=0)]
    counts: tuple[UsageCount, ...]
