"""`python -m bench [--only PART]`: measures, writes every number to .local/bench and prints a table and one line per part."""

import asyncio
import importlib
import time

from bench.results import FOLDER, plot, say, table, write_json
from deploy.commands import Command

PARTS: tuple[str, ...] = ("pages", "delivery", "capacity", "replicas")
"""Modules of this package with `async def run(progress, folder) -> list[Result]` and `summary(results) -> str`, in this order.

`folder` is the part's own, for data and logs; a part starts and stops what it needs.
"""


def main() -> int:
    """Runs the chosen parts one after the other; 0 when all could be measured, however fast."""
    parser = Command(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", default="", choices=PARTS, help="one part")
    chosen = parser.parse_args().only
    lines = []
    for part in (chosen,) if chosen else PARTS:
        began = time.monotonic()
        module = importlib.import_module(f"bench.{part}")
        results = asyncio.run(module.run(lambda text, began=began: say(f"[{time.monotonic() - began:5.1f} s] {text}"), FOLDER / part))
        written = [write_json(part, results), plot(part, results)]
        print(f"\n{table(results)}\n\nwritten: {', '.join(str(path) for path in written if path)}\n", flush=True)
        lines.append(f"bench {part}: {module.summary(results)}")
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
