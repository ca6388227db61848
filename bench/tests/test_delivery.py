"""How the delivery part compares and sums up."""

from bench import delivery
from bench.delivery import commands, handoff
from bench.delivery.timing import compared, in_turns, rate
from bench.results import Result


async def test_measures_take_turns_and_every_second_round_is_turned_round():
    order: list[str] = []

    def measure(name: str):
        async def measured() -> float:
            order.append(name)
            return float(len(order))

        return measured

    found = await in_turns({"a": measure("a"), "b": measure("b")}, rounds=3)
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert found == {"a": [1, 4, 5], "b": [2, 3, 6]}


async def test_a_rate_counts_what_all_workers_did():
    done = 0

    async def act() -> None:
        nonlocal done
        done += 1

    measured = await rate([act, act], 0.02)
    assert 0 < measured <= done / 0.02 * 1.01


def test_medians_are_compared_and_the_target_is_a_share_of_the_floor():
    result = compared("x", "events/s", [50, 60, 1000], [100, 100, 1], at_least=0.5)
    assert (result.figure, result.floor, result.target, result.kept) == (60, 100, 50, True)


def test_the_last_line_names_every_ratio():
    names = [commands.name(count) for count in commands.CONNECTIONS] + list(delivery.SHORT.values())
    results = [Result(name, "x", 5.0, 10.0) for name in names] + [Result(handoff.LATE, "ms", 12.34)]
    assert delivery.summary(results) == (
        "command=0.50x/0.50x/0.50x door=0.50x relay=0.50x row_by_row=0.50x inbox=0.50x projections=0.50x handoff_p50=0.50x "
        "handoff_p99_ms=12.3 inbox_1m=0.50x outbox_1m=0.50x peer_backlog=0.50x peer_p50=0.50x peer_memory=0.50x"
    )


def test_what_could_not_be_measured_is_said_and_peers_only_where_they_were_asked_for():
    assert delivery.summary([Result("relay, commit to acknowledged", "x", 5.0, 10.0)]) == (
        "command=not_measured/not_measured/not_measured door=not_measured relay=0.50x row_by_row=not_measured inbox=not_measured "
        "projections=not_measured handoff_p50=not_measured handoff_p99_ms=not_measured inbox_1m=not_measured outbox_1m=not_measured"
    )
