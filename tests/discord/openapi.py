"""Checks request bodies against Discord's own OpenAPI 3.1 description of its HTTP API v10.

The description is not part of this project. A checkout that has it beside it checks every body; a plain clone
says that it does not, and with CI=true its absence is an error.
"""

from __future__ import annotations

import copy
import json
import os
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from referencing import Registry
from referencing.jsonschema import DRAFT202012

DESCRIPTION = Path(__file__).resolve().parents[3] / "shared" / "discord" / "openapi.json"
ABSENT = "Discord's OpenAPI description is not beside this checkout: bodies are not checked against it"

_URI = "urn:discord"
_READABLE = 300
_PARAMETER = re.compile(r"\{[^}]+\}")


class DescriptionMissing(Exception):
    """CI must check the bodies, so there the description has to be present."""


class OpenApiChecker:
    """Says what is wrong with a request. `checked` counts the bodies that were held against a schema."""

    def __init__(self, description: Mapping[str, Any]) -> None:
        self.checked = 0
        self._paths: Mapping[str, Any] = description["paths"]
        self._registry = Registry().with_resource(_URI, DRAFT202012.create_resource(description))
        self._validators: dict[tuple[str, str], Draft202012Validator] = {}
        self._templates = [(re.compile(_pattern(template)), template) for template in self._by_precedence()]

    @staticmethod
    def load(description: Path = DESCRIPTION) -> OpenApiChecker | None:
        """The checker, or None in a plain clone. Raises DescriptionMissing with CI=true."""
        if not description.is_file():
            if os.environ.get("CI") == "true":
                raise DescriptionMissing(ABSENT)
            return None
        checker = copy.copy(_read(description))
        checker.checked = 0
        return checker

    def check(self, method: str, path: str, body: Any) -> list[str]:
        """Problems of one request, each a sentence; empty when there is none.

        path: below /api/v10, without the query. body: the decoded JSON (of a form: payload_json) or None.
        """
        route = f"{method} {path}"
        template = self._template(path)
        operation = self._paths.get(template, {}).get(method.lower()) if template else None
        if template is None or operation is None:
            return [f"{route}: Discord describes no such route"]
        described = operation.get("requestBody")
        if body is None:
            needed = described is not None and described.get("required", False)
            return [f"{route}: the body is missing"] if needed else []
        if described is None:
            return [f"{route}: this route takes no body"]
        self.checked += 1
        errors = self._validator(method, template, described).iter_errors(with_text_ids(body))
        return [f"{route}: {_sentence(error)}" for error in errors]

    def _by_precedence(self) -> list[str]:
        """Literal path segments win over parameters: `@original` is not a message id."""
        return sorted(self._paths, key=lambda template: len(_PARAMETER.findall(template)))

    def _template(self, path: str) -> str | None:
        return next((template for pattern, template in self._templates if pattern.fullmatch(path)), None)

    def _validator(self, method: str, template: str, described: Mapping[str, Any]) -> Draft202012Validator:
        key = (method, template)
        if key not in self._validators:
            # The form flavours of a body only add the files to the same schema.
            content = described["content"]
            media = "application/json" if "application/json" in content else next(iter(content))
            parts = ("paths", template, method.lower(), "requestBody", "content", media, "schema")
            pointer = "/".join(part.replace("~", "~0").replace("/", "~1") for part in parts)
            reference = {"$ref": f"{_URI}#/{pointer}"}
            self._validators[key] = Draft202012Validator(reference, registry=self._registry)
        return self._validators[key]


@cache
def _read(description: Path) -> OpenApiChecker:
    """Read once: the description has more than a megabyte, and all checkers may share the compiled schemas."""
    return OpenApiChecker(json.loads(description.read_text(encoding="utf-8")))


def with_text_ids(body: Any) -> Any:
    """The body with ids as text where discord.py sends numbers: Discord takes both, its description only text.

    These are attachments[].id, the ids of a message_reference and of allowed_mentions, and a DM's recipient_id.
    """
    if not isinstance(body, dict):
        return body
    changed = dict(body)
    for key in ("data", "message"):  # an interaction's answer, a forum post's first message
        if key in changed:
            changed[key] = with_text_ids(changed[key])
    _make_text(changed, "recipient_id")
    for key, ids in (
        ("message_reference", ("message_id", "channel_id", "guild_id")),
        ("allowed_mentions", ("users", "roles")),
    ):
        if isinstance(changed.get(key), dict):
            changed[key] = dict(changed[key])
            _make_text(changed[key], *ids)
    if isinstance(changed.get("attachments"), list):
        changed["attachments"] = [dict(item) for item in changed["attachments"]]
        for item in changed["attachments"]:
            _make_text(item, "id")
    return changed


def _make_text(record: dict[str, Any], *keys: str) -> None:
    for key in keys:
        value = record.get(key)
        if type(value) is int:
            record[key] = str(value)
        elif isinstance(value, list):
            record[key] = [str(each) if type(each) is int else each for each in value]


def _pattern(template: str) -> str:
    return "[^/]+".join(re.escape(literal) for literal in _PARAMETER.split(template))


def _sentence(error: ValidationError) -> str:
    """The innermost reason: "none of these schemas fits" says nothing about which one was meant."""
    while error.context:
        error = _meant(error.context)
    where = ".".join(str(part) for part in error.absolute_path) or "the body"
    reason = error.message
    if len(reason) > _READABLE:  # the message repeats the value, the reason stands at its end
        reason = f"{reason[: _READABLE // 2]} … {reason[-_READABLE // 2 :]}"
    return f"{where}: {reason}"


def _meant(errors: list[ValidationError]) -> ValidationError:
    """The deepest error of the alternative that was meant: the one whose `type` (say, of component) fits."""
    branches: dict[Any, list[ValidationError]] = {}
    for error in errors:
        branches.setdefault(error.schema_path[0], []).append(error)

    def misfit(branch: list[ValidationError]) -> tuple[bool, int]:
        wrong_kind = any(
            list(error.path) == ["type"] or (error.validator == "type" and not error.path) for error in branch
        )
        return wrong_kind, -max(len(error.absolute_path) for error in branch)

    branch = min(branches.values(), key=misfit)
    return max(branch, key=lambda error: len(error.absolute_path))
