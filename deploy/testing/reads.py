"""Which fields of an event a handler really touches: golden examples that write down what is read of them."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contracts.event import Event
    from pydantic import BaseModel
    from servicekit.delivery.inbox import Handlers
    from servicekit.delivery.outbox import Begin

    from deploy.testing.golden import GoldenExample

WHOLE = frozenset({"model_dump", "model_dump_json", "model_copy", "__iter__"})
"""Who asks for these gets all fields."""


async def touched_by(handlers: "Handlers", begin: "Begin", examples: Iterable["GoldenExample"]) -> dict[str, set[str]]:
    """Run the handlers on examples, a transaction each; per event type the paths that were read, `service.name`, `counts[].count`.

    The path of an object alone means all that is in it; of the event itself, `*`.
    """
    by_type = {event.type: handler for event, handler in handlers.items()}
    touched: dict[str, set[str]] = {type_: set() for type_ in by_type}
    for example in examples:
        if example.type in by_type:
            async with begin() as uow:
                uow.received = example.record().received
                await by_type[example.type](_recording(example.event(), touched[example.type]), uow)
    return touched


def _recording(value: "BaseModel", touched: set[str], inside: str = "") -> Any:
    """The same value, of a subclass that writes down what is asked of it."""
    kind = type(value)
    fields = frozenset(kind.model_fields)

    def get(self: "Event", name: str) -> Any:
        found = object.__getattribute__(self, name)
        if name in WHOLE:
            touched.add(inside or "*")
        return _read(found, touched, f"{inside}.{name}".lstrip(".")) if name in fields else found

    recorder: Any = type(kind.__name__, (kind,), {"__getattribute__": get, "__module__": kind.__module__})
    values: Mapping[str, Any] = {name: value.__dict__[name] for name in fields}
    return recorder.model_construct(**values)


def _read(found: Any, touched: set[str], path: str) -> Any:
    from pydantic import BaseModel

    if isinstance(found, BaseModel):
        return _recording(found, touched, path)
    if isinstance(found, tuple) and any(isinstance(item, BaseModel) for item in found):
        return tuple(_recording(item, touched, f"{path}[]") for item in found)
    touched.add(path)
    return found
