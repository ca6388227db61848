"""Writes the gateway's configuration: one host name per service, nothing about the reader passed on, a page when a service is down."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

STATIC = Path(__file__).with_name("static")
CATALOGUE = Path(__file__).parents[2] / "libs" / "contracts" / "catalogue"
"""The published contracts, for people and programs."""

TRACE_HEADERS = ("Traceparent", "Tracestate", "Baggage", "X-Request-Id", "X-Correlation-Id")
"""What would let two zones recognise each other's requests: taken off in both directions."""
ADDRESS_HEADERS = ("X-Forwarded-For", "X-Real-Ip", "X-Client-Ip", "Forwarded", "True-Client-Ip", "Client-Ip")
"""What would tell a service where its reader sits. Caddy adds the first by itself; others could be sent by a client."""


LONGEST_ADDRESS = 8000
"""Characters. A longer address would end in the HTTP parser of a service, with a bare line of text."""


@dataclass(frozen=True, slots=True)
class Route:
    """One host name and the address (host:port) of the service behind it."""

    host: str
    upstream: str


@dataclass(frozen=True, slots=True)
class Certificate:
    """Where the gateway finds what it shows to browsers: PEM files."""

    chain: Path
    key: Path


QUICK_EXIT_URL = "https://www.yr.no/"


OPTIONS = """{
	admin off
	auto_https off
	persist_config off
	grace_period 3s
	log default {
		output stderr
		level WARN
		# No request is logged, not even one that failed: it holds the reader's address, path and headers.
		exclude http.log.error http.log.access http.handlers.reverse_proxy
	}
	servers {
		protocols h1
		timeouts {
			read_header 10s
			idle 2m
		}
	}
}
"""
"""Of the whole gateway."""


def caddyfile(
    port: int,
    routes: Mapping[str, Route],
    bind: str = "127.0.0.1",
    static: Path = STATIC,
    *,
    quick_exit_url: str = QUICK_EXIT_URL,
    start_page: Path | None = None,
    catalogue: Path = CATALOGUE,
    hold: int = 0,
    certificate: Certificate | None = None,
) -> str:
    """The whole Caddyfile. `routes`: by service name. `bind`: addresses to listen on, separated by spaces.

    `quick_exit_url`: where the quick exit leads while a service is down.
    `start_page`: the folder of `/_demo`; in the demo alone. `catalogue`: the folder of `/_contracts/`.
    `hold`: seconds that a request waits for a service of which no process answers; it's sent on once, and never to a second process.
    `certificate`: for https; without one it's http.
    """
    scheme = "https" if certificate else "http"
    listens = f"\tbind {bind}\n" + (f"\ttls {certificate.chain} {certificate.key}\n" if certificate else "")
    own = _contracts(catalogue) + (_start_page(start_page) if start_page else "")
    held = _hold(hold) if hold else ""
    sites = "\n".join(
        f"{scheme}://{route.host}:{port} {{\n{listens}{_site(route, static, quick_exit_url, own if name == 'info' else '', held)}"
        for name, route in routes.items()
    )
    return f"""{OPTIONS}
{sites}
{scheme}://:{port} {{
{listens}	header -Server
	respond "Ukjent adresse" 421
}}
"""


def _contracts(catalogue: Path) -> str:
    """The published contracts."""
    return f"""	redir /_contracts /_contracts/
	handle /_contracts/* {{
		root * {catalogue}
		uri strip_prefix /_contracts
		header Content-Security-Policy "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
		header Referrer-Policy same-origin
		header X-Content-Type-Options nosniff
		header Cache-Control "public, max-age=300"
		header -Server
		file_server
	}}
"""


def _hold(seconds: int) -> str:
    """Wait while nobody answers the call. What reached a process isn't sent again: a GET neither, so that one rule holds for all."""
    return f"""			lb_try_duration {seconds}s
			lb_try_interval 250ms
			lb_retry_match {{
				method NONE
			}}
"""


def _site(route: Route, static: Path, quick_exit_url: str, start_page: str, held: str) -> str:
    """What one host does, from its address on."""
    strip_up = "\n".join(f"\t\t\theader_up -{name}" for name in (*TRACE_HEADERS, *ADDRESS_HEADERS))
    strip_down = "\n".join(f"\t\t\theader_down -{name}" for name in (*TRACE_HEADERS, "Server", "Via"))
    return f"""	@long expression size({{http.request.uri}}) > {LONGEST_ADDRESS}
	handle @long {{
		error 414
	}}
	handle /_gateway/* {{
		root * {static}
		uri strip_prefix /_gateway
		header Cache-Control "public, max-age=3600"
		header -Server
		file_server
	}}
{start_page}	handle {{
		request_body {{
			max_size 1MB
		}}
		reverse_proxy {route.upstream} {{
			flush_interval -1
			# A service may refuse before it has read all; passed on piecemeal, its answer is then lost now and then.
			request_buffers 1MB
{strip_up}
{strip_down}
{held}			transport http {{
				dial_timeout {"500ms" if held else "2s"}
				response_header_timeout 30s
{"				keepalive off" + chr(10) if held else ""}			}}
		}}
	}}
{_error_page("413", "too_large.html", 413, static, quick_exit_url)}
{_error_page("414", "too_large.html", 414, static, quick_exit_url)}
{_error_page("", "down.html", 503, static, quick_exit_url)}
}}
"""


def _start_page(folder: Path) -> str:
    """What the demo shows by itself: pages and their style sheets, under `/_demo`."""
    policy = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    return f"""	handle /_demo* {{
		root * {folder}
		uri strip_prefix /_demo
		try_files {{path}} {{path}}/index.html {{path}}.html /index.html
		encode
		header {{
			Cache-Control no-cache
			Content-Security-Policy "{policy}"
			Referrer-Policy same-origin
			X-Content-Type-Options nosniff
			X-Robots-Tag noindex
			-Server
		}}
		file_server
	}}
"""


def _error_page(caught: str, page: str, status: int, static: Path, quick_exit_url: str) -> str:
    """Serve a static page for errors of the gateway itself: those with the status `caught`, or all."""
    target = urlsplit(quick_exit_url)
    leave = _quick_exit(quick_exit_url) if status == 503 else ""
    retry = "\t\t\t\tRetry-After 10\n" if status == 503 else ""
    policy = f"default-src 'none'; style-src 'self'; img-src data:; form-action 'self' {target.scheme}://{target.netloc}"
    return f"""	handle_errors {caught} {{
{leave}		handle {{
			root * {static}
			rewrite * /{page}
			header {{
				Content-Type "text/html; charset=utf-8"
				Content-Language nb
				Cache-Control no-store
				Content-Security-Policy "{policy}; base-uri 'none'; frame-ancestors 'none'"
				Referrer-Policy same-origin
				X-Content-Type-Options nosniff
{retry}				-Server
				-Etag
				-Last-Modified
			}}
			file_server {{
				status {status}
			}}
		}}
	}}"""


def _quick_exit(url: str) -> str:
    """The way out also works while a service is down: the form that every page has leads away, and clears what the browser keeps."""
    return f"""		@leaves {{
			method POST
			path /forlat
		}}
		handle @leaves {{
			@here header Sec-Fetch-Site same-origin
			header @here Clear-Site-Data `"cache", "cookies", "storage"`
			header {{
				Location {url}
				Cache-Control no-store
				-Server
			}}
			respond 303
		}}
"""
