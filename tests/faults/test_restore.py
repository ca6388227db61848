"""INVARIANT: a reader restored from a backup misses nothing that Kafka still has; what it lacks is seen where a key goes on."""

import pytest

pytestmark = pytest.mark.faults


async def tell(plant, articles, when: str) -> None:
    """Two facts of each article, known to the reader as far as it can apply them."""
    for article in articles:
        for number in range(2):
            await plant.command(f"{when} {article}/{number}", article)
    await plant.relay()
    await plant.read()


async def test_after_a_restore_what_is_read_again_from_the_beginning_is_applied_once(build):
    plant = await build()
    articles = await plant.articles(4)
    await tell(plant, articles, "before")
    await plant.back_up_the_reader()
    await tell(plant, articles, "since")
    await plant.restore_the_reader()
    plant.lose_the_group()
    assert (await plant.heal()).kinds() == set()


async def test_where_only_the_database_was_restored_each_key_that_goes_on_is_parked_and_mended_without_loss(build):
    plant = await build()
    articles = await plant.articles(4)
    await tell(plant, articles, "before")
    await plant.back_up_the_reader()
    await tell(plant, articles[:3], "since")
    await plant.restore_the_reader()
    await tell(plant, articles[1:], "after")
    assert set((await plant.world()).parked) == {str(article) for article in articles[1:3]}
    assert (await plant.heal()).kinds() == {"parked", "lost"}  # the first key doesn't go on: nothing shows what it lacks
    plant.lose_the_group()
    await plant.heal()
    await plant.retry_parked()
    assert (await plant.heal()).kinds() == set()
