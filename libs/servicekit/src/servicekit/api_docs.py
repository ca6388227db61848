"""The API of a service as one plain page, made from its OpenAPI document; loads nothing from elsewhere."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup, escape

METHODS = ("get", "post", "put", "patch", "delete")


def page(document: Mapping[str, Any]) -> str:
    """Each operation with its summary, parameters and answers."""
    info = document["info"]
    title = Markup("<title>{0} {1}</title><h1>{0} <small>{1}</small></h1>").format(info["title"], info["version"])
    operations = [
        _operation(method, path, described)
        for path, methods in document["paths"].items()
        for method, described in methods.items()
        if method in METHODS
    ]
    head = Markup('<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">')
    whole = Markup('{}{}<p><a href="/openapi.json">openapi.json</a> <a href="/metrics">metrics</a></p>{}')
    return str(whole.format(head, title, Markup("").join(operations)))


def _operation(method: str, path: str, described: Mapping[str, Any]) -> Markup:
    parameters = ", ".join(f"{each['name']} ({each['in']})" for each in described.get("parameters", ())) or "none"
    row = Markup("<h2><code>{} {}</code></h2><p>{}</p><p>Parameters: {}. Answers: {}.</p>")
    return row.format(method.upper(), path, escape(described.get("summary", "")), parameters, ", ".join(described.get("responses", ())))
