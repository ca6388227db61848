"""`python -m deploy.k8s` (`make k8s`): renders every agency's overlay, the topics and principals and the examples, and validates them."""

import argparse
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from contracts.catalogue import SERVICES

from deploy.k8s import agencies, pods, schemas
from deploy.k8s.render import EXAMPLES, OVERLAYS, TOPICS_AND_PRINCIPALS, Manifest, RenderError, documents, text

OUTPUT = Path(__file__).parents[2] / ".local" / "k8s"


def folders() -> dict[str, Path]:
    """What is rendered, by name."""
    found = {service: OVERLAYS / service for service in SERVICES}
    found["kafka"] = TOPICS_AND_PRINCIPALS
    return found | {folder.name: folder for folder in sorted(EXAMPLES.iterdir())}


def problems(name: str, manifests: list[Manifest]) -> list[str]:
    """What schemas and our own rules say against one rendering."""
    found = [problem for manifest in manifests for problem in schemas.problems(manifest)]
    if found:
        return found  # the rules read documents of the right shape
    return pods.problems(manifests) + (agencies.problems(name, manifests) if name in SERVICES else [])


def main() -> int:
    """Exit code 1 when anything is wrong; each problem is a line, and the last line sums up."""
    parser = argparse.ArgumentParser(prog="python -m deploy.k8s", description=__doc__)
    parser.add_argument("--out", type=Path, default=OUTPUT, help="where the renderings are written")
    out = parser.parse_args().out
    began = time.monotonic()
    out.mkdir(parents=True, exist_ok=True)
    wanted = folders()
    try:
        with ThreadPoolExecutor() as pool:
            rendered = dict(zip(wanted, pool.map(text, wanted.values()), strict=True))
    except RenderError as error:
        print(f"k8s: {error}", file=sys.stderr)
        return 1
    wrong, count = [], 0
    for name, written in rendered.items():
        (out / f"{name}.yaml").write_text(written)
        manifests = documents(written)
        count += len(manifests)
        wrong += problems(name, manifests)
        print(f"{name}: {len(manifests)} objects in {out / name}.yaml")
    print(*wrong, sep="\n", end="\n" if wrong else "")
    print(f"k8s: renderings={len(rendered)} objects={count} problems={len(wrong)} s={time.monotonic() - began:.0f}")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
