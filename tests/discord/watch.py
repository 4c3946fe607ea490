"""Listens to every request of a bot and holds it against Discord's description and limits."""

from __future__ import annotations

import copy
import os
from typing import Any
from weakref import WeakKeyDictionary

import simcord
from discord import File
from simcord.backend import Backend
from simcord.http import router

from tests.discord.limits import LimitChecker, Request, Upload
from tests.discord.openapi import OpenApiChecker

_LOGIN = Request("GET", "/oauth2/applications/@me")


class Watch:
    """What a bot sent so far, and what was wrong with it.

    openapi is None in a checkout without Discord's description; the limits are held all the same.
    """

    def __init__(self, openapi: OpenApiChecker | None) -> None:
        self.openapi = openapi
        self.limits = LimitChecker()
        self.requests: list[Request] = []
        self.problems: list[str] = []

    @property
    def bodies(self) -> int:
        return sum(request.body is not None for request in self.requests)

    def see(self, request: Request) -> None:
        if request == _LOGIN:
            self.limits.bot_started()
        self.requests.append(request)
        if self.openapi is not None:
            self.problems += self.openapi.check(request.method, request.path, request.body)
        self.problems += self.limits.check(request)

    def assert_clean(self) -> None:
        """Fails with every problem, and also when nothing was there to check."""
        assert not self.problems, "\n".join(["The bot sent what Discord refuses:", *self.problems])
        assert self.bodies, "No request body was seen: the watch did not listen to a bot that did anything."
        assert self.openapi is None or self.openapi.checked, "No body was held against Discord's description"


def watch(env: simcord.Env) -> Watch:
    """Watch a simcord environment through restarts; from before its start on, so that the command sync is seen.

    simcord's own log of requests has no files. Requests and interaction answers meet in its router, so that is
    where they are read; a test that has no watch is not affected.
    """
    seen = Watch(OpenApiChecker.load())
    _watches.setdefault(env.backend, []).append(seen)
    return seen


_watches: WeakKeyDictionary[Backend, list[Watch]] = WeakKeyDictionary()
_dispatch = router.dispatch


def _watched_dispatch(
    backend: Backend,
    method: str,
    path: str,
    *,
    json: Any = None,
    files: list[File] | None = None,
    **rest: Any,
) -> Any:
    request = Request(method, path, copy.deepcopy(json), tuple(_upload(file) for file in files or ()))
    for seen in _watches.get(backend, ()):
        seen.see(request)
    return _dispatch(backend, method, path, json=json, files=files, **rest)


def _upload(file: File) -> Upload:
    start = file.fp.tell()
    size = file.fp.seek(0, os.SEEK_END) - start
    file.fp.seek(start)
    return Upload(file.filename, size)


router.dispatch = _watched_dispatch
