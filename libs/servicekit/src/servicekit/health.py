"""Liveness and readiness of one process. Local only: a neighbour that is down never makes this service unready."""

from collections.abc import Awaitable, Callable, Mapping

from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Gauge, generate_latest

Check = Callable[[], Awaitable[bool]]

READY = Gauge("stegvis_ready", "Whether this process can work: 1 where /readyz says so, else 0; looked at when it is asked for")


def install(app: FastAPI, live: Mapping[str, Check], ready: Mapping[str, Check]) -> None:
    """Serve `/livez`, `/readyz` and `/metrics`: 200 when every check holds, else 503 with the names of those that fail."""

    async def report(checks: Mapping[str, Check], response: Response) -> dict[str, str]:
        failing = [name for name, check in checks.items() if not await _holds(check)]
        response.status_code = 503 if failing else 200
        return {"status": "failing" if failing else "ok", "failing": ", ".join(failing)}

    @app.get("/livez", tags=["operation"], summary="Is this process worth keeping?")
    async def livez(response: Response) -> dict[str, str]:
        return await report(live, response)

    @app.get("/readyz", tags=["operation"], summary="Can this process serve now?")
    async def readyz(response: Response) -> dict[str, str]:
        return await report(ready, response)

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        READY.set(all([await _holds(check) for check in ready.values()]))
        return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)


async def _holds(check: Check) -> bool:
    try:
        return await check()
    except Exception:  # whatever fails, the answer is that it doesn't hold
        return False
