"""Who may call the emulated portals: a webhook, applications by their tokens, and the endpoint that renews these.

An access token lives an hour. Each renewal gives a new pair and voids the old one, as on the real server
(documented): whoever renews with an old refresh token has `invalid_grant`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sipsync.model.clock import Clock
from sipsync.rules.errors import Refusal, refusal
from sipsync.rules.php import Array, text
from sipsync.sandbox.store import Store

LIFETIME = 3600
_FACT = "applications"
_MEMBER_ID = 32
"""Digits of the store's key that are told; the others are the webhook's secret."""


@dataclass(frozen=True, slots=True)
class App:
    """One application, the same on every portal."""

    name: str
    client_id: str
    client_secret: str = field(repr=False)
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires: float
    voided: tuple[str, ...] = field(default=(), repr=False)
    """Access tokens of before."""


class Apps:
    """The applications that a store keeps, and the webhook's user and secret."""

    def __init__(self, store: Store, names: Iterable[str], clock: Clock, secret: str | None = None) -> None:
        self._store, self._clock = store, clock
        self.webhook = ("1", secret or self._key()[_MEMBER_ID:])
        self._apps: dict[str, App] = {}
        self.reload()
        with store.writing():
            for name in names:
                if name not in self._apps:
                    self._put(self._made(name))

    def reload(self) -> None:
        """Read them anew: another process may have renewed a token."""
        self._apps = {row["name"]: App(**row) for row in json.loads(self._store.fact(_FACT) or "[]")}

    @property
    def client_ids(self) -> dict[str, str]:
        """By name."""
        return {name: app.client_id for name, app in self._apps.items()}

    def named(self, token: str) -> str | Refusal:
        """Whose token it is."""
        for app in self._apps.values():
            if token == app.access_token and self._clock.now().timestamp() < app.expires:
                return app.name
            if token == app.access_token or token in app.voided:
                return refusal("expired_token")
        return refusal("invalid_token")

    def expire(self, name: str | None) -> None:
        """Let access tokens be old: of one application, or of all."""
        for app in list(self._apps.values()):
            if name in (None, app.name):
                self._put(replace(app, expires=0.0))

    def exchange(self, params: Array, url: str) -> dict[str, Any] | Refusal:
        """A new pair of tokens for an old one; within the store's `writing`."""
        given = {name: text(params.get(name)) for name in ("grant_type", "client_id", "client_secret", "refresh_token")}
        if given["grant_type"] != "refresh_token":
            return refusal("invalid_request")
        app = next((app for app in self._apps.values() if app.client_id == given["client_id"]), None)
        if app is None or app.client_secret != given["client_secret"]:
            return refusal("invalid_client")
        if app.refresh_token != given["refresh_token"]:
            return refusal("invalid_grant")
        fresh = replace(
            self._made(app.name),
            client_id=app.client_id,
            client_secret=app.client_secret,
            voided=(*app.voided, app.access_token)[-100:],
        )
        self._put(fresh)
        return {
            "access_token": fresh.access_token,
            "expires": int(fresh.expires),
            "expires_in": LIFETIME,
            "scope": "telephony",
            "domain": "oauth.bitrix.info",
            "server_endpoint": "https://oauth.bitrix.info/rest/",
            "status": "L",
            "client_endpoint": f"{url}/rest/",
            "member_id": self.member_id(),
            "user_id": 1,
            "refresh_token": fresh.refresh_token,
        }

    def member_id(self) -> str:
        """What identifies the portals for good."""
        return self._key()[:_MEMBER_ID]

    def shown(self, url: str) -> Mapping[str, Mapping[str, str]]:
        """What a client needs to act for each application."""
        return {
            name: {
                "rest": f"{url}/rest/",
                "client_id": app.client_id,
                "client_secret": app.client_secret,
                "access_token": app.access_token,
                "refresh_token": app.refresh_token,
                "token_url": f"{url}/oauth/token/",
                "member_id": self.member_id(),
            }
            for name, app in self._apps.items()
        }

    def _put(self, app: App) -> None:
        self._apps[app.name] = app
        self._store.keep(_FACT, json.dumps([asdict(app) for app in self._apps.values()]))

    def _key(self) -> str:
        return self._store.key(self._clock.token).hex()

    def _made(self, name: str) -> App:
        def token(size: int) -> str:
            return self._clock.token(size).hex()

        number = int.from_bytes(self._clock.token(8)) % 10**8
        expires = self._clock.now().timestamp() + LIFETIME
        return App(name, f"local.{token(7)}.{number:08}", token(25), token(35), token(35), expires)
