"""Texts, dates and numbers in each language, and the check that Bokmål and Nynorsk exist together."""

import re
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import webkit
from markupsafe import Markup
from webkit.dates import filters
from webkit.i18n import translate

PACKAGE = Path(webkit.__file__).parent
HERE = Path(__file__).parent
MOMENT = datetime(2026, 11, 24, 22, 5, tzinfo=UTC)


def check(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "webkit.catalogue_check", str(folder)], capture_output=True, text=True, check=False)


def test_webkits_own_texts_exist_in_nynorsk() -> None:
    result = check(PACKAGE)
    assert result.returncode == 0, result.stdout
    assert result.stderr == ""


def test_webkits_own_texts_exist_in_english() -> None:
    from webkit.catalogue_check import missing_translations

    assert missing_translations(PACKAGE, "en")[1] == []


def test_the_check_fails_on_a_text_without_nynorsk_and_prints_what_to_fill_in(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "page.html").write_text('{{ _("Hei på deg") }}{{ ngettext("%(num)s dag", "%(num)s dager", 2) }}')
    (tmp_path / "domain.py").write_text('from webkit.i18n import mark as _\nTITLE = _("Bare i Python")\n')
    result = check(tmp_path)
    assert result.returncode == 1
    assert 'msgid "Hei på deg"' in result.stdout
    assert 'msgid "Bare i Python"' in result.stdout
    assert 'msgid_plural "%(num)s dager"' in result.stdout


def test_the_check_is_content_when_all_is_translated(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "page.html").write_text('{{ _("Hei på deg") }} {{ _("Forlat siden") }}')
    catalogue = tmp_path / "locale" / "nn" / "LC_MESSAGES"
    catalogue.mkdir(parents=True)
    (catalogue / "page.po").write_text('msgid "Hei på deg"\nmsgstr "Hei på deg, du"\n')
    assert check(tmp_path).returncode == 0
    (catalogue / "page.po").write_text('#, fuzzy\nmsgid "Hei på deg"\nmsgstr "Hei på deg, du"\n')
    assert check(tmp_path).returncode == 1


def test_what_a_language_lacks_is_said_in_bokmal() -> None:
    assert translate("nn")("Prøv igjen") == "Prøv igjen"
    assert translate("nn")("Noe gikk galt hos oss") == "Noko gjekk gale hos oss"
    assert translate("se")("Her finnes ikke noe samisk") == "Her finnes ikke noe samisk"
    assert translate("tlh").language == "nb"
    assert translate("nn", HERE / "locale")("Hei %(name)s", name="Kim") == "Hei du Kim"


@pytest.mark.parametrize(("language", "number", "said"), [("nb", 1, "en"), ("nb", 2, "flere"), ("en", 0, "flere"), ("se", 2, "flere")])
def test_plural_follows_the_number(language: str, number: int, said: str) -> None:
    assert translate(language).ngettext("en", "flere", number) == said


@pytest.mark.parametrize(
    ("language", "date_", "time", "number"),
    [
        ("nb", "<24. november> 2026", "tirsdag <24. november> kl.\xa023.05", "1\xa0234,5"),
        ("nn", "<24. november> 2026", "tysdag <24. november> kl.\xa023.05", "1\xa0234,5"),
        ("en", "<24 November> 2026", "Tuesday <24 November> at\xa023:05", "1,234.5"),
    ],
)
def test_dates_and_numbers_follow_the_language_and_norwegian_time(language: str, date_: str, time: str, number: str) -> None:
    shown = filters(translate(language).locale)
    assert shown["date"](MOMENT) == shown["date"](date(2026, 11, 24)) == together(date_)
    assert shown["time"](MOMENT) == together(time)
    assert shown["sentence"](shown["time"](MOMENT)) == together(time[0].upper() + time[1:])
    assert shown["number"](1234.5) == number


def together(text: str) -> Markup:
    """What stands between < and > keeps together."""
    return Markup(re.sub("<(.+)>", r'<span class="date">\1</span>', text))


def test_northern_sami_has_dates_too() -> None:
    assert "2026" in filters(translate("se").locale)["date"](MOMENT)


def test_a_date_is_norwegian_also_just_after_midnight() -> None:
    shown = filters(translate("nb").locale)
    assert shown["date"](datetime(2026, 6, 30, 22, 30, tzinfo=UTC)) == together("<1. juli> 2026")
    assert shown["clock"](datetime(2026, 6, 30, 22, 30, tzinfo=UTC)) == "00.30"


def test_durations_and_shares_are_words() -> None:
    shown = filters(translate("nb").locale)
    assert shown["duration"](timedelta(minutes=10)) == shown["duration"](600) == "10 minutter"
    assert (shown["waited"](0), shown["waited"](61), shown["sentence"]("fredag")) == ("under ett minutt", "1 minutt", "Fredag")
    assert (shown["duration"](60), shown["duration"](89), shown["duration"](4200)) == ("1 minutt", "1 minutt", "70 minutter")
    assert (shown["duration"](3600), shown["duration"](timedelta(days=1))) == ("1 time", "1 døgn")
    assert shown["percent"](0.42) == "42\xa0%"


def test_a_time_without_zone_is_refused() -> None:
    naive = MOMENT.replace(tzinfo=None)
    with pytest.raises(ValueError, match="without zone"):
        filters(translate("nb").locale)["clock"](naive)
