"""How much script of our own the pages of all services carry together."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
MOST = 15_000
"""Bytes, uncompressed."""


def test_all_own_script_together_stays_small():
    scripts = [*ROOT.glob("libs/webkit/src/webkit/static/*.js"), *ROOT.glob("services/*/src/*/static/**/*.js")]
    sizes = {str(path.relative_to(ROOT)): path.stat().st_size for path in scripts}
    assert any("webkit" in name for name in sizes)
    assert sum(sizes.values()) <= MOST, sizes
