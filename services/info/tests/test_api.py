"""Search and register as JSON: what programs get, and what they get when they ask wrongly."""

from info.consumers import HANDLERS
from servicekit.delivery.inbox import apply
from servicekit.web.guards import assert_unsafe_routes_are_guarded

from deploy.testing import record_of

NORDLYS = "676ed505-5dd2-4467-9a79-2fb88d37fe9b"


async def test_search_answers_with_addresses_that_work(program, browser):
    body = (await program.get("/api/search", params={"q": "slutte med snus"})).json()
    assert body["total"] == len(body["hits"]) > 1
    assert body["show_crisis_block"] is False
    for hit in body["hits"]:
        assert hit["url"].startswith("http://localhost:8080/")
        assert (await browser.get(hit["url"])).status_code == 200


async def test_a_search_that_names_a_crisis_says_so(program):
    """INVARIANT: a site that shows our search is told to show the numbers first."""
    body = (await program.get("/api/search", params={"q": "vil ikke leve lenger"})).json()
    assert body["show_crisis_block"] is True


async def test_search_narrows_by_topic_and_language(program):
    hits = (await program.get("/api/search", params={"topic": "rights", "language": "en"})).json()["hits"]
    assert [hit["language"] for hit in hits] == ["en"]


async def test_an_answer_from_dialog_is_found_by_everybody_as_soon_as_it_is_applied(program, seeded, approved):
    await apply(seeded.begin, "info", [record_of(approved, key=approved.publication_id, sequence=1)], HANDLERS)
    (hit,) = (await program.get("/api/search", params={"q": "kurvelinjal"})).json()["hits"]
    assert (hit["kind"], hit["publication_id"]) == ("answer", str(approved.publication_id))
    assert "<mark>kurvelinjal</mark>" in hit["snippet"]


async def test_the_register_is_narrowed_by_what_one_needs(program):
    everything = (await program.get("/api/services")).json()["services"]
    local = (await program.get("/api/services", params={"municipality": "0301", "channel": "appointment"})).json()["services"]
    assert len(everything) == 25
    assert {service["municipality"] for service in local} == {"0301"}
    assert NORDLYS in {service["service_id"] for service in local}
    open_now = (await program.get("/api/services", params={"open_now": "true"})).json()["services"]
    assert all(service["open_now"] for service in open_now)
    assert {"113", "112", "116117"} <= {service["phone"] for service in open_now}


async def test_one_entry_has_its_hours_and_where_it_is_read(program):
    entry = (await program.get(f"/api/services/{NORDLYS}")).json()
    assert entry["url"] == f"http://localhost:8080/hjelp/{NORDLYS}"
    assert entry["opening_hours"][0] == {"weekday": 1, "opens": "14:00:00", "closes": "18:00:00"}


WRONG = [
    ("/api/search?q=" + "a" * 201, 422),
    ("/api/search?q=" + "a" * 60_000, 422),
    ("/api/search?topic=weather", 422),
    ("/api/search?language=tlh", 422),
    ("/api/search?page=0", 422),
    ("/api/search?page=51", 422),
    ("/api/search?page=one", 422),
    ("/api/services?municipality=301", 422),
    ("/api/services?municipality=abcd", 422),
    ("/api/services?kind=canary-4711", 422),
    ("/api/services?open_now=perhaps", 422),
    ("/api/services/canary-4711", 404),
    ("/api/services/00000000-0000-4000-8000-000000000000", 404),
    ("/api/nowhere", 404),
]


async def test_wrong_questions_are_answered_with_a_problem_that_echoes_nothing(program):
    """INVARIANT: what was sent never comes back in an error."""
    for address, status in WRONG:
        answer = await program.get(address)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), address[:60]
        assert answer.json()["status"] == status
        assert "canary" not in answer.text
        assert "aaaa" not in answer.text


async def test_the_api_only_reads(program):
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = await program.request(method, "/api/search")
        assert (answer.status_code, answer.headers["content-type"]) == (405, "application/problem+json")


async def test_problems_speak_the_readers_language(program):
    answer = await program.get("/api/services/x", headers={"accept-language": "nn"})
    assert answer.json()["title"] == "Vi finn ikkje dette"


def test_no_unsafe_route_stands_open(app):
    """INVARIANT: what can change something needs our own form."""
    assert_unsafe_routes_are_guarded(app)


def test_the_api_is_described(app):
    paths = app.openapi()["paths"]
    assert {"/api/search", "/api/services", "/api/services/{service_id}"} <= set(paths)
    assert all(operation.get("summary") for path in paths.values() for operation in path.values())
