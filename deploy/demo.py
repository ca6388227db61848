"""`python -m deploy.demo [--once]`: the whole platform on this machine, until Ctrl-C or, with --once, until the journey is walked."""

import asyncio
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import NoReturn

from contracts.catalogue import SERVICES

from deploy.commands import Command, a_port
from deploy.local.journey.history import JOURNEYS, make_history
from deploy.local.journey.walk import walk
from deploy.local.oidc.persons import people as oidc_people
from deploy.local.platform import Platform, Progress
from deploy.local.processes import StartError, memory_megabytes
from deploy.observability.local import LocalPrometheus
from deploy.observability.programs import NoPrometheusError

FOLDER = Path(__file__).parents[1] / ".local"
DEFAULT_PORT = 8080

STAFF_PAGES = ("info", "dialog", "helpjourney", "reporting")
WHAT = {
    "info": "les og søk",
    "dialog": "spør og chat uten navn",
    "identity": "innlogging",
    "helpjourney": "videre hjelp, innlogget",
    "reporting": "tall",
}


class Stopped(Exception):  # noqa: N818 - not an error: somebody asked for it
    """SIGINT or SIGTERM arrived."""


def _stop(number: int, _frame: object) -> None:
    signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not leave half of it running
    raise Stopped


def addresses(platform: Platform) -> str:
    """Where everything is, for a person at a terminal."""
    people = oidc_people()
    lines = ["", f"Start here: {platform.urls['info']}/_demo", "", "Pages"]
    lines += [f"  {platform.urls[name] + '/':<38} {name}: {WHAT.get(name, '')}" for name in SERVICES]
    lines += [f"  {platform.urls['info'] + '/_contracts/':<38} what the services tell each other: the catalogue of events"]
    lines += ["Staff pages"]
    lines += [f"  {platform.urls[name] + '/ansatt':<38} {name}" for name in STAFF_PAGES]
    lines += ["API documents, metrics and health (not through the gateway)"]
    lines += [f"  {platform.internal(name) + '/docs':<38} {name}; also /openapi.json /metrics /livez /readyz" for name in SERVICES]
    lines += ["Test logins (invented people; the login pages list all of them)"]
    lines += [f"  {platform.addresses.idporten + '/':<38} {len(people['youths']) - 1} youths and a guardian, as ID-porten"]
    lines += [f"  {platform.addresses.ansattporten + '/':<38} {len(people['staff'])} staff, as Ansattporten"]
    lines += [
        f"Kafka {platform.bootstrap}, logs {platform.logs}",
        f"A service that ended is started again by: kill -USR1 {os.getpid()}",
        "Ctrl-C stops everything.",
        "",
    ]
    return "\n".join(lines)


def make_history_behind(platform: Platform, progress: Progress, stopping: threading.Event) -> None:
    """Fills the figures while the pages are used already; ends with this process."""

    def run() -> None:
        try:
            asyncio.run(make_history(platform.urls, JOURNEYS, lambda text: progress(text.strip())))
        except Exception as error:  # the demo goes on without it
            if not stopping.is_set():
                progress(f"history: stopped: {type(error).__name__}: {error}")

    threading.Thread(target=run, name="history", daemon=True).start()


def stay(platform: Platform, progress: Progress) -> NoReturn:
    """Until a signal comes: tells when a service ends, and starts it again on SIGUSR1."""
    wanted = threading.Event()
    signal.signal(signal.SIGUSR1, lambda *_: wanted.set())
    told: set[str] = set()
    while True:
        for name in set(platform.dead()) - told:
            service = platform.services[name]
            progress(
                f"{name} ended with code {service.exit_code}, its host shows the crisis numbers; {service.log} says:\n{service.tail()}"
            )
            told.add(name)
        if wanted.is_set():
            wanted.clear()
            for name in platform.dead():
                platform.restart(name)
                told.discard(name)
                progress(f"{name} answers again")
        time.sleep(0.25)


def main() -> int:
    """Parses the command line and runs; 0 when all went as asked."""
    parser = Command(prog="python -m deploy.demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="walk the journey, check it, stop everything")
    parser.add_argument("--port", type=a_port, default=DEFAULT_PORT, help="the one entrance, 8080 by default")
    parser.add_argument("--data", type=Path, default=FOLDER, help="folder for data, keys and logs, .local by default")
    parser.add_argument("--ops", action="store_true", help="Prometheus beside it, with the rules and the real times")
    parser.add_argument("--keep", action="store_true", help="go on with what the last run stored, instead of starting afresh")
    arguments = parser.parse_args()
    signal.signal(signal.SIGINT, _stop)
    signal.signal(signal.SIGTERM, _stop)
    began = time.monotonic()
    printing = threading.Lock()

    def progress(text: str) -> None:
        with printing:
            print(f"[{time.monotonic() - began:5.1f} s] {text}", flush=True)

    platform = Platform(arguments.data, port=arguments.port, fresh=not arguments.keep, progress=progress)
    prometheus = LocalPrometheus(platform.folder / "data" / "prometheus", platform.addresses) if arguments.ops else None
    stopping = threading.Event()
    try:
        progress(f"starting in {arguments.data}, {'with what the last run stored' if arguments.keep else 'afresh (KEEP=1 goes on)'}")
        platform.start()
        progress(f"healthy: the five hosts answer; memory {memory_megabytes(platform.pids.values()):.0f} MB")
        if prometheus:
            prometheus.start()
        if arguments.once:
            return asyncio.run(walk(platform))
        print(addresses(platform), flush=True)
        if prometheus:
            print(f"Prometheus {prometheus.url}: metrics, rules and alerts\n", flush=True)
        if not arguments.keep:
            make_history_behind(platform, progress, stopping)
        stay(platform, progress)
    except (StartError, NoPrometheusError) as error:
        print(f"demo: {error}", file=sys.stderr, flush=True)
        return 1
    except (Stopped, KeyboardInterrupt):
        return 130 if arguments.once else 0
    finally:
        stopping.set()
        progress("stopping")
        if prometheus:
            prometheus.stop()
        platform.stop()
        progress("stopped, nothing is left running")


if __name__ == "__main__":
    raise SystemExit(main())
