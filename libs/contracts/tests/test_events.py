"""What every event, example and schema of the published language must hold."""

import json
from pathlib import Path

import jsonschema
import pytest
from contracts import schemas
from contracts.catalogue import EVENTS, PUBLIC_ID_FIELDS, SERVICES, TOPICS, ZONES, topics_read_by
from contracts.codes import Zone
from contracts.dialog import HandoffOffered, QuestionAsked
from contracts.event import Envelope, MalformedEnvelopeError
from pydantic import ValidationError

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*/*.json"))


def test_every_event_has_an_example_and_every_example_an_event():
    assert {path.parent.name for path in EXAMPLES} == set(EVENTS)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_an_example_is_read_by_its_model_and_its_schema(path):
    example = json.loads(path.read_text())
    event = EVENTS[path.parent.name]
    event.model_validate(example["data"])
    jsonschema.validate(example["data"], json.loads((schemas.SCHEMAS / f"{event.type}.json").read_text()))
    envelope = Envelope.of(example["headers"])
    assert (envelope.type, envelope.source) == (event.type, TOPICS[example["topic"]].owner)
    assert envelope.headers() == example["headers"]


def test_what_is_committed_says_what_the_models_say():
    assert {directory.name: schemas.differences(directory, wanted) for directory, wanted in schemas.published().items()} == {
        "schemas": [],
        "catalogue": [],
    }


@pytest.mark.parametrize("directory", [schemas.SCHEMAS, schemas.CATALOGUE], ids=lambda path: path.name)
def test_what_differs_is_noticed(tmp_path, directory):
    wanted = schemas.published()[directory]
    schemas.write(tmp_path, wanted)
    changed = sorted(wanted)[0]
    (tmp_path / changed).write_text("{}")
    (tmp_path / "left.over.v1.json").write_text("{}")
    assert schemas.differences(tmp_path, wanted) == sorted([changed, "left.over.v1.json"])
    schemas.write(tmp_path, wanted)
    assert schemas.differences(tmp_path, wanted) == []


def test_an_unknown_code_survives_and_free_text_does_not_fit():
    """INVARIANT: a code field can't carry a sentence."""
    asked = {"question_id": "0fc56cad-b85f-4736-921c-f2baa0307d24", "age_band": "13_15", "language": "nb"}
    assert json.loads(QuestionAsked(**asked, topic_code="newer").model_dump_json())["topic_code"] == "newer"
    with pytest.raises(ValidationError) as refused:
        QuestionAsked(**asked, topic_code="jeg heter Kari")
    assert "Kari" not in str(refused.value)


@pytest.mark.parametrize(
    "broken", [{}, {"ce_id": "x"}, {"ce_time": "2026-01-01T00:00:00"}, {"ce_sequence": "two"}, {"ce_specversion": "0.3"}]
)
def test_a_record_without_a_whole_envelope_is_malformed(broken):
    good = json.loads(EXAMPLES[0].read_text())["headers"]
    with pytest.raises(MalformedEnvelopeError):
        Envelope.of(good | broken if broken else {})


def test_every_topic_has_one_owner_known_readers_and_a_key_that_its_events_carry():
    for topic in TOPICS.values():
        assert topic.owner in SERVICES
        assert topic.readers <= set(SERVICES) - {topic.owner}
    for event in EVENTS.values():
        if event.topic and "service" not in event.model_fields:
            assert TOPICS[event.topic].key in event.model_fields, event.type


def test_offers_are_read_by_the_receiver_only():
    """INVARIANT: reporting and everybody else never see a single handoff."""
    assert TOPICS[HandoffOffered.topic].readers == {"helpjourney"}
    assert HandoffOffered.topic not in topics_read_by("reporting")


def test_no_id_field_is_shared_by_topics_of_the_anonymous_and_the_known_zone():
    """INVARIANT: only ids of public things occur on both sides of the border."""

    def ids(zone):
        return {
            name
            for event in EVENTS.values()
            if ZONES[event.type.split(".")[0]] is zone
            for name, field in event.model_fields.items()
            if name.endswith("_id")
        }

    assert ids(Zone.ANONYMOUS) & ids(Zone.KNOWN) - PUBLIC_ID_FIELDS <= {"bucket_id"}


def test_a_trace_stays_in_its_zone():
    """INVARIANT: only topics whose every reader is in the owner's zone may carry a trace or causation id."""
    assert {name for name, topic in TOPICS.items() if topic.stays_in_zone} == {"identity.sessions-helpjourney.v1"}
