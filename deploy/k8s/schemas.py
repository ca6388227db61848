"""Holds documents against published schemas, strictly: a field that the schema doesn't know is an error."""

from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml
from kubernetes_validate import utils as published
from referencing import Registry, Resource

from deploy.k8s.render import FAST, Manifest, name_of

VERSION = "1.37.0"
"""Of Kubernetes: whose API the schemas describe."""
CRDS = Path(__file__).with_name("crds")


def problems(manifest: Manifest) -> list[str]:
    """All that the schema of its kind says against a document; that there is no schema, too."""
    validator = _validator(str(manifest.get("apiVersion")), str(manifest.get("kind")))
    if validator is None:
        return [f"{name_of(manifest)}: no schema for {manifest.get('apiVersion')} {manifest.get('kind')}"]
    return [
        f"{name_of(manifest)}: {'.'.join(map(str, error.absolute_path)) or 'it'}: {error.message[:300]}"
        for error in validator.iter_errors(manifest)
    ]


@cache
def _validator(api_version: str, kind: str) -> "jsonschema.protocols.Validator | None":
    if (own := _custom().get((api_version, kind))) is not None:
        return jsonschema.Draft202012Validator(own)
    group, _, version = api_version.rpartition("/")
    file = f"{kind.lower()}-{group.split('.')[0] + '-' if group else ''}{version}.json"
    try:
        schema = published.schema_contents(f"{_folder()}/{file}", VERSION)
    except FileNotFoundError:
        return None
    return jsonschema.Draft202012Validator(schema, registry=_registry())


def _folder() -> str:
    return f"kubernetes-json-schema/v{VERSION}-local-strict"


@cache
def _registry() -> "Registry[Any]":
    definitions = Resource.from_contents(published.schema_contents(f"{_folder()}/_definitions.json", VERSION))
    return definitions @ Registry()


@cache
def _custom() -> dict[tuple[str, str], dict[str, Any]]:
    """(apiVersion, kind) -> schema, of the custom resources."""
    found = {}
    for file in sorted(CRDS.glob("*.yaml")):
        for definition in filter(None, yaml.load_all(file.read_text(), Loader=FAST)):
            spec = definition["spec"]
            for version in spec["versions"]:
                key = (f"{spec['group']}/{version['name']}", spec["names"]["kind"])
                found[key] = closed(version["schema"]["openAPIV3Schema"])
    return found


def closed(schema: Any) -> Any:
    """An openAPIV3Schema as JSON Schema in which what isn't described is refused, as a strict API server refuses it."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: closed(value) for key, value in schema.items() if key not in ("properties", "nullable")}
    if isinstance(schema.get("properties"), dict):
        made["properties"] = {name: closed(value) for name, value in schema["properties"].items()}
        if not schema.get("x-kubernetes-preserve-unknown-fields"):
            made.setdefault("additionalProperties", False)
    if schema.get("x-kubernetes-int-or-string"):
        made.pop("type", None)
    if schema.get("nullable") and isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
    return made
