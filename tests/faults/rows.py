"""The rows of docs/faults.md: what may go wrong, what of it this rig does, which tests show the rest, and what nothing shows."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.ledger import Findings
from tests.faults.rig import Run

DELIVERY = "libs/servicekit/tests/delivery"
NO_TEST = "nothing"


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of fault. Each is shown by a strike of the rig, by tests of its own, or by nothing."""

    name: str
    fault: str
    strikes: tuple[str, ...] = ()
    """Strikes of the rig that are of this kind."""
    tests: tuple[str, ...] = ()
    """Where else it is shown."""
    not_shown: str = ""
    """What of it nothing shows."""
    seen: Callable[[Run], str] | None = None
    """Says more than how often it was struck."""

    @property
    def is_shown(self) -> bool:
        """Whether anything shows it at all."""
        return bool(self.strikes or self.tests)

    def in_run(self, run: Run) -> str:
        """What of it was seen in this run."""
        times = sum(run.strikes[name] for name in self.strikes)
        if not self.strikes:
            return "-"
        if not times:
            return "not struck"
        return self.seen(run) if self.seen else f"{times} times"


def harm(found: Findings) -> str:
    """What was found, kind by kind, zeros too."""
    figures = ("lost", "zombies", "ghosts", "duplicates", "inversions", "double_claims")
    return ", ".join(f"{name.replace('_', ' ')} {getattr(found, name)}" for name in figures)


def _places(run: Run) -> str:
    died = sum(run.places.values())
    where = f"{died} deaths at {sum(times > 0 for times in run.places.values())} places"
    return f"{where}, {run.strikes['kill_a_service']} kills at random, {run.strikes['kill_all_services']} of all five at once"


ROWS = (
    Row(
        "D1",
        "SIGKILL at named places and at random",
        ("die_at_a_place", "kill_a_service", "kill_all_services"),
        (f"{DELIVERY}/test_crash.py", "tests/faults/test_killed.py"),
        "a machine that loses its power with all that its disk had not yet written",
        _places,
    ),
    Row(
        "D2",
        "SIGTERM under load, one service after the other",
        ("deploy",),
        (f"{DELIVERY}/test_liveness.py",),
        "no gap for those who read: a service has one process here, and is away while it starts",
    ),
    Row(
        "D3",
        "a process frozen for 12 s thaws when another has taken over",
        ("freeze_a_service",),
        (f"{DELIVERY}/test_consumer.py",),
        "frozen at each named place",
    ),
    Row(
        "D4",
        "a broker killed; leaders and coordinators move",
        ("kill_a_broker",),
        (f"{DELIVERY}/test_relay.py", f"{DELIVERY}/test_broker_away.py", "deploy/tests/test_kafka.py"),
        "brokers with a disk of their own",
    ),
    Row("D5", "two of three brokers gone", ("take_two_brokers",), (), "gone for longer than some seconds"),
    Row(
        "D6",
        "Kafka gone for an hour at twenty times the load",
        (),
        (f"{DELIVERY}/test_broker_away.py",),
        "longer than 25 s, in which as much is told as in ten minutes of such a day",
    ),
    Row(
        "D7",
        "PostgreSQL shut down at once",
        ("crash_a_database",),
        (f"{DELIVERY}/test_relay.py", f"{DELIVERY}/test_consumer.py"),
        "a full disk",
    ),
    Row(
        "D8",
        "the answer is lost after the commit; a commit that fails",
        (),
        ("tests/faults/test_the_wire.py", "tests/faults/test_mutants.py", "`command.committed` in D1"),
    ),
    Row("D9", "one-way partitions", (), ("tests/faults/test_the_wire.py",), "all pairs but service and database"),
    Row("D10", "loss, latency, slow links", (), ("tests/faults/test_the_wire.py",), "all but a slow way to the database"),
    Row("D11", "duplicates, delays, reorderings across keys", (), ("tests/faults/test_hostile_bus.py",)),
    Row("D12", "poison, wrong schema, too large, bombs", (), (f"{DELIVERY}/test_bad_input.py",)),
    Row("D13", "replay of parked events, thirty days later too", (), (f"{DELIVERY}/test_replay.py",)),
    Row("D14", "clock skew", (), ("services/dialog/tests/chats/test_timers.py",), "hosts whose clocks differ"),
    Row("D15", "two relays, 16 writers, long transactions", (), ("tests/faults/test_many_writers.py", f"{DELIVERY}/test_shards.py")),
    Row(
        "D16",
        "processes join a group and die, three in a row",
        ("join_and_die",),
        (),
        "ten minutes of it, and how much slower it goes",
    ),
    Row("D17", "old and new version side by side", (), ("tests/upgrade", "`make upgrade`")),
    Row(
        "D18",
        "restore from backup into a bus that goes on",
        (),
        ("tests/faults/test_restore.py", f"{DELIVERY}/test_restored.py", "tests/drill", "`make drill`"),
    ),
    Row("D19", "faults built into the plumbing", (), ("tests/faults/test_mutants.py",)),
)
