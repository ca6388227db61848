"""The gateway: a real Caddy before stand-ins for the services."""

import json
import re
import socket
import sys
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest
from contracts.catalogue import SERVICES, TOPICS

from deploy.gateway import pages
from deploy.gateway.caddyfile import ADDRESS_HEADERS, STATIC, TRACE_HEADERS, Route, caddyfile
from deploy.local.environment import Addresses
from deploy.local.gateway import LocalGateway
from deploy.local.processes import Child, StartError, free_ports, listens
from deploy.local.start_page import write_start_page
from deploy.testing.html import links, loaded, tags

STAND_IN = Path(__file__).with_name("stand_in.py")
CRISIS = Path(__file__).parents[2] / "libs" / "webkit" / "src" / "webkit" / "data" / "crisis.json"
NUMBERS = ["113", "112", "116117", "116111", "116123"]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gateway")
    port, alive, dead = free_ports(3)
    service = Child("stand-in", [sys.executable, STAND_IN, str(alive)], folder / "stand_in.log").start()
    service.wait_until(lambda: listens(alive), 30)
    routes = {"info": Route("localhost", f"127.0.0.1:{alive}"), "dialog": Route("snakk.localhost", f"127.0.0.1:{dead}")}
    ports = dict.fromkeys(SERVICES, alive)
    addresses = Addresses(port, ports, ports, "http://127.0.0.1:1", "http://127.0.0.1:2")
    server = LocalGateway(folder, port, routes, start_page=write_start_page(folder / "start", addresses)).start()
    yield server
    server.stop()
    service.stop()


@pytest.fixture
def ask(gateway):
    with httpx.Client(base_url=f"http://127.0.0.1:{gateway.port}", timeout=30) as client:

        def request(method: str, host: str, path: str, **more) -> httpx.Response:
            headers = {"host": f"{host}:{gateway.port}", **more.pop("headers", {})}
            return client.request(method, path, headers=headers, **more)

        yield request


def test_a_service_is_told_nothing_about_where_its_reader_sits(ask):
    """INVARIANT: no header names the reader's address, whoever sent it."""
    sent = dict.fromkeys(ADDRESS_HEADERS, "198.51.100.7")
    seen = ask("GET", "localhost", "/a", headers=sent).json()["headers"]
    names = {name.lower() for name, _ in seen}
    assert not names & {name.lower() for name in ADDRESS_HEADERS}
    assert "198.51.100.7" not in json.dumps(seen)
    values = [value for name, value in seen if name.lower() not in {"host", "x-forwarded-host"}]
    assert not any("127.0.0.1" in value for value in values)


def test_a_service_is_asked_only_when_the_form_is_whole(gateway, ask):
    """INVARIANT: a service that refuses a form before reading it is heard; otherwise its answer is lost once in a thousand times."""
    before = ask("GET", "localhost", "/a").json()["begun"]
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=30) as client:
        client.sendall(b"POST /a HTTP/1.1\r\nHost: localhost:%d\r\nContent-Length: 9\r\n\r\ntext=" % gateway.port)
        asked = [ask("GET", "localhost", "/a").json()["begun"] for _ in range(50)]
        assert asked == [before + number for number in range(1, 51)]
        client.sendall(b"true")
        assert client.recv(100).startswith(b"HTTP/1.1 200")


def test_trace_and_request_ids_pass_in_neither_direction(ask):
    """INVARIANT: no trace, request or correlation id crosses between zones."""
    answer = ask("GET", "localhost", "/a", headers=dict.fromkeys(TRACE_HEADERS, "00-1-2-01"))
    reached = {name.lower() for name, _ in answer.json()["headers"]}
    assert not reached & {name.lower() for name in TRACE_HEADERS}
    assert not set(answer.headers) & {name.lower() for name in TRACE_HEADERS}


def test_a_service_learns_the_public_host_and_scheme_and_not_what_a_client_claims(ask, gateway):
    seen = ask("POST", "localhost", "/a", headers={"x-forwarded-proto": "https", "x-forwarded-host": "evil.example"}).json()
    headers = {name.lower(): value for name, value in seen["headers"]}
    assert seen["method"] == "POST"
    assert headers["host"] == headers["x-forwarded-host"] == f"localhost:{gateway.port}"
    assert headers["x-forwarded-proto"] == "http"


def test_events_of_a_stream_arrive_at_once(gateway, ask):
    where = {"url": f"http://127.0.0.1:{gateway.port}/stream", "headers": {"host": f"localhost:{gateway.port}"}}
    with httpx.stream("GET", **where, timeout=60) as answer:
        events = answer.iter_text()
        assert next(events) == "data: 0\n\n"  # the second hasn't been written yet
        ask("GET", "localhost", "/seen")
        assert next(events) == "data: 1\n\n"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"])
def test_a_dead_services_host_shows_the_crisis_numbers_on_any_method(ask, method):
    """INVARIANT: the crisis numbers are there when everything else is gone."""
    answer = ask(method, "snakk.localhost", "/sok?q=hemmelig")
    assert (answer.status_code, answer.headers["cache-control"], answer.headers["retry-after"]) == (503, "no-store", "10")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert method == "HEAD" or re.findall(r'href="tel:(\d+)"', answer.text) == NUMBERS


def test_the_other_hosts_work_while_one_is_dead(ask):
    assert ask("GET", "snakk.localhost", "/").status_code == 503
    assert ask("GET", "localhost", "/").status_code == 200


def test_the_page_of_a_dead_service_needs_nothing_but_the_gateway(ask):
    answer = ask("GET", "snakk.localhost", "/")
    assert "style-src 'self'" in answer.headers["content-security-policy"]
    style = re.search(r'<link rel="stylesheet" href="([^"]+)"', answer.text)[1]
    sheet = ask("GET", "snakk.localhost", style)
    assert (sheet.status_code, sheet.headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert len(answer.content) + len(sheet.content) < 6000
    assert "<style" not in answer.text
    assert "<script" not in answer.text


def test_the_page_says_what_the_services_own_crisis_block_says():
    class Text(HTMLParser):
        said = ""

        def handle_data(self, data: str) -> None:
            self.said += data

    text = Text()
    text.feed((STATIC / "down.html").read_text())
    said = " ".join(text.said.replace("\xa0", " ").split())
    crisis = json.loads(CRISIS.read_text())
    assert {name: (STATIC / name).read_text() for name in pages.files()} == pages.files(), "run python -m deploy.gateway.pages"
    for line in crisis["lines"]:
        assert f"{line['number']} {line['name']['nb']}. {line['when']['nb']}" in said
    for part in ("name", "how", "hours"):
        assert crisis["silent"][part]["nb"] in said


def test_the_quick_exit_leads_away_also_while_the_service_is_down(ask):
    """INVARIANT: the way out works when everything else is gone, and clears what the browser keeps; another site's form clears nothing."""
    down = ask("GET", "snakk.localhost", "/")
    assert [form.attributes["action"] for form in tags(down.text, "form")] == ["/forlat"]
    assert "form-action 'self' https://www.yr.no;" in down.headers["content-security-policy"]
    left = ask("POST", "snakk.localhost", "/forlat", headers={"sec-fetch-site": "same-origin"})
    assert (left.status_code, left.headers["location"], left.headers["cache-control"]) == (303, "https://www.yr.no/", "no-store")
    assert left.headers["clear-site-data"] == '"cache", "cookies", "storage"'
    foreign = ask("POST", "snakk.localhost", "/forlat", headers={"sec-fetch-site": "cross-site"})
    assert (foreign.status_code, "clear-site-data" in foreign.headers) == (303, False)
    assert ask("GET", "snakk.localhost", "/forlat").status_code == 503


@pytest.mark.parametrize(("path", "language"), [("/_demo", "nb"), ("/_demo/", "nb"), ("/_demo/nn", "nn"), ("/_demo/en", "en")])
def test_the_start_page_names_everything_and_loads_nothing_from_elsewhere(ask, path, language):
    page = ask("GET", "localhost", path, headers={"accept-encoding": "gzip"})
    assert (page.status_code, page.headers["content-encoding"]) == (200, "gzip")
    assert tags(page.text, "html")[0].attributes["lang"] == language
    assert len(tags(page.text, "h1")) == 1
    assert all(sheet.startswith("/_demo/") and ask("GET", "localhost", sheet).status_code == 200 for sheet in loaded(page.text))
    assert all(name in page.text for name in (*SERVICES, "Blid Orrhane", "Chatvakt 1 i Skravla"))
    assert {link.rpartition("/")[2] for link in links(page.text)} >= {"docs", "openapi.json", "metrics", "readyz", "_komponenter"}
    assert "unsafe" not in page.headers["content-security-policy"]
    events = ask("GET", "localhost", "/_demo/catalogue/")
    assert all(topic in events.text for topic in TOPICS)
    assert all(ask("GET", "localhost", f"/_demo/catalogue/{sheet}").status_code == 200 for sheet in loaded(events.text))


def test_only_the_demo_has_a_start_page(ask):
    """INVARIANT: a gateway that isn't given the demo's folder knows no such address."""
    assert "_demo" not in caddyfile(80, {"info": Route("localhost", "127.0.0.1:1")})
    assert ask("GET", "snakk.localhost", "/_demo").status_code == 503


def test_nothing_about_a_failed_request_is_logged(ask, gateway):
    """INVARIANT: no path, header or address of a reader is written down."""
    ask("POST", "snakk.localhost", "/kanari?q=hemmelig", headers={"cookie": "hemmelig=1"}, content=b"hemmelig")
    said = gateway.log.read_text()
    assert not re.search("kanari|hemmelig|remote_ip|snakk", said), said


def test_a_body_of_more_than_a_megabyte_is_refused(ask):
    for answer, status in (  # the long body last: its connection can't be used again
        (ask("GET", "localhost", f"/a?q={'x' * 20_000}"), 414),
        (ask("POST", "localhost", "/a", content=b"x" * 1_100_000), 413),
    ):
        assert answer.status_code == status
        assert "Teksten er for lang" in answer.text
        assert all(f"tel:{number}" in answer.text for number in ("113", "112", "116117", "116111", "116123"))


def test_an_unknown_host_reaches_no_service(ask):
    assert ask("GET", "evil.example", "/").status_code == 421


def test_a_busy_port_is_named_in_one_line(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(StartError, match=f"^port {port} is taken by another program: stop that one, or choose another with PORT=$"):
            LocalGateway(tmp_path, port, {}).start()


def test_the_published_contracts_are_served_on_the_open_host(ask):
    page = ask("GET", "localhost", "/_contracts/")
    assert page.status_code == 200
    assert "What the services tell each other" in page.text
    assert "script-src" not in page.headers["content-security-policy"]
    assert ask("GET", "localhost", "/_contracts/catalogue.css").headers["content-type"].startswith("text/css")
    assert ask("GET", "localhost", "/_contracts/dialog.asyncapi.json").json()["asyncapi"] == "3.0.0"
    assert "What the services" not in ask("GET", "snakk.localhost", "/_contracts/").text
