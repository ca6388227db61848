"""Logins from the service's page through the provider and back, as people do them."""

from identity_world import CLINICIAN, DAUGHTER, World

from deploy.local.journey.browser import Browser


async def test_a_youth_logs_in_and_the_service_learns_what_it_needs(world: World, browser: Browser) -> None:
    page = await world.log_in(browser, DAUGHTER)
    subject, born, level, sid = page.text.split()
    assert (page.url, born, level) == (world.ports.min_url + "/meg", "2011-06-17", "idporten-loa-substantial")
    assert DAUGHTER not in page.html
    assert subject != sid


async def test_a_clinician_logs_in_on_behalf_of_her_organisation(world: World, browser: Browser) -> None:
    page = await world.log_in_at_work(browser, CLINICIAN)
    assert page.text == "300000107|Nordlys bydel, Oslo (oppdiktet)|clinician|990000018|676ed505-5dd2-4467-9a79-2fb88d37fe9b"
