"""The API's reference as a plain page, from its schema: nothing is loaded from elsewhere."""

from collections.abc import Mapping
from html import escape
from typing import Any


def _body(kind: str) -> dict[str, Any]:
    content = {kind: {"schema": {"type": "string", "format": "binary"}}}
    return {"requestBody": {"required": True, "content": content}}


PICTURE = _body("image/*")
FILE = _body("application/octet-stream")
"""What a request's body is, where FastAPI can't tell."""


def page(schema: Mapping[str, Any]) -> str:
    """The paths of an OpenAPI schema, what each takes, and what it gives, in HTML."""
    parts = [
        _operation(method, path, operation)
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]
    kinds = [
        f"<h3 id={escape(name)}><code>{escape(name)}</code></h3>"
        f"<p>{escape(kind.get('description', ''))}</p><ul>{_fields(kind)}</ul>"
        for name, kind in schema["components"]["schemas"].items()
    ]
    return (
        "<!doctype html><html lang=en><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width'><title>Retain: API</title>"
        "<link rel=stylesheet href=/style.css><main class=reference><h1>API</h1>"
        "<p><a href=/>The page</a> · <a href=/openapi.json>OpenAPI schema</a></p>"
        f"{''.join(parts)}<h2>Values</h2>{''.join(kinds)}</main></html>"
    )


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> str:
    items = [
        f"<li><code>{escape(given['name'])}</code> ({given['in']}): {_kind(given['schema'])}"
        for given in operation.get("parameters", [])
    ]
    for kind, body in operation.get("requestBody", {}).get("content", {}).items():
        items.append(f"<li>body, {escape(kind)}: {_kind(body['schema'])}")
    for code, answer in operation["responses"].items():
        for kind, content in answer.get("content", {}).items():
            if code == "200":
                items.append(f"<li>gives {escape(kind)}: {_kind(content.get('schema', {}))}")
    return (
        f"<section><h2><code>{method.upper()} {escape(path)}</code></h2>"
        f"<p>{escape(operation.get('description', operation['summary']))}</p>"
        f"<ul>{''.join(items)}</ul></section>"
    )


def _fields(kind: Mapping[str, Any]) -> str:
    return "".join(
        f"<li><code>{escape(name)}</code>: {_kind(field)}"
        for name, field in kind.get("properties", {}).items()
    )


def _kind(schema: Mapping[str, Any]) -> str:
    """A schema in few words."""
    if reference := schema.get("$ref"):
        name = escape(reference.rpartition("/")[2])
        return f"<a href=#{name}><code>{name}</code></a>"
    if several := schema.get("anyOf"):
        return " or ".join(map(_kind, several))
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}"
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"mapping to {_kind(schema['additionalProperties'])}"
    bounds = [f"≥ {schema['minimum']:g}"] if "minimum" in schema else []
    bounds += [f"≤ {schema['maximum']:g}"] if "maximum" in schema else []
    return escape(" ".join([str(schema.get("format", schema.get("type", "anything"))), *bounds]))
