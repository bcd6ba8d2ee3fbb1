"""Where requests go: an address that can be shown, and the real one, which may hold the credential.

Addresses are taken apart by one strict pattern each. A lenient parser would accept user names, backslashes or blanks,
and another program could then read another host out of the same text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sipsync.model.message import Message
from sipsync.model.problems import Code, ConfigError, Diagnostic, PortalError
from sipsync.model.reveal import reveal
from sipsync.model.secret import Secret
from sipsync.portal.hosts import forbidden, is_allowed, is_loopback, split_port

if TYPE_CHECKING:
    from sipsync.model.operator import Operator
    from sipsync.model.problems import Span

_ORIGIN = r"(?P<scheme>https?)://(?P<host>[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::(?P<port>\d{1,5}))?"
_PREFIX = r"(?P<prefix>(?:/[\w-]+)*?)"
_WEBHOOK = re.compile(rf"{_ORIGIN}{_PREFIX}/rest/(?P<user>\d+)/(?P<secret>[\w-]+)/?", re.ASCII | re.IGNORECASE)
_BASE = re.compile(rf"{_ORIGIN}{_PREFIX}/?", re.ASCII | re.IGNORECASE)
_TOKEN_URL = re.compile(rf"{_ORIGIN}(?P<path>(?:/[\w-]+)*/?)", re.ASCII | re.IGNORECASE)
_LOCATION = re.compile(rf"{_ORIGIN}(?P<path>/.*)", re.ASCII | re.IGNORECASE)
_DEFAULT_PORT = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Target:
    """One address to send a request to."""

    shown: str
    """What logs, errors and representations may show."""
    url: Secret
    host: str
    """With a port where it is not the default one."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The beginning of all addresses of one portal."""

    scheme: str
    host: str
    prefix: str = ""
    """The path before `/rest/`; for emulated portals on loopback only."""
    credential: Secret = field(default_factory=lambda: Secret(""))
    """`<user>/<secret>/` of a webhook, or nothing."""

    def target(self, method: str) -> Target:
        """The address of a method."""
        base = f"{self.scheme}://{self.host}{self.prefix}/rest/"
        hidden = "-/" if self.credential else ""
        return Target(f"{base}{hidden}{method}", Secret(f"{base}{reveal(self.credential)}{method}"), self.host)

    @property
    def name(self) -> str:
        """The portal's name among all portals."""
        return f"{self.host}{self.prefix}"


def webhook(url: Secret, operator: Operator, at: Span | None = None) -> Endpoint:
    """The endpoint of an incoming webhook, whose host may receive it."""
    text = reveal(url)
    if text != "".join(text.split()):
        raise _bad(
            Message("the webhook's URL holds white space or a line end"),
            Message("Copy the URL again, as one line without blanks."),
            at,
        )
    found = _WEBHOOK.fullmatch(text)
    if not found:
        raise _bad(
            Message("the webhook's URL does not look like https://HOST/rest/USER/SECRET/"),
            Message(
                "Copy it from Bitrix24 (Developer resources, Inbound webhook), up to and including the "
                "secret, without a method such as profile.json."
            ),
            at,
        )
    endpoint = _endpoint(found, operator, at)
    return replace(endpoint, credential=Secret(f"{found['user']}/{found['secret']}/"))


def application(domain: str, operator: Operator, at: Span | None = None) -> Endpoint:
    """The endpoint of an application on a portal; only loopback may be given as a whole base address."""
    found = _BASE.fullmatch(domain if "://" in domain else f"https://{domain}")
    if not found or ("://" in domain and not is_loopback(found["host"].lower())):
        raise _bad(
            Message("portal.oauth.domain is not a host"),
            Message("Give the portal's host alone, such as acme.bitrix24.ru."),
            at,
        )
    return _endpoint(found, operator, at)


def token(url: str, operator: Operator, at: Span | None = None) -> Target:
    """The address where tokens are renewed, without its query."""
    found = _TOKEN_URL.fullmatch(url)
    if not found:
        raise _bad(
            Message("token_url is not an address"),
            Message("https://oauth.bitrix.info/oauth/token/ is the usual one."),
            at,
        )
    scheme, host = _origin(found, operator, at)
    shown = f"{scheme}://{host}{found['path']}"
    return Target(shown, Secret(shown), host)


def moved(endpoint: Endpoint, target: Target, location: Secret, operator: Operator) -> Endpoint:
    """The portal's endpoint after a rename: another allowed host, everything else unchanged."""
    found = _LOCATION.fullmatch(reveal(location))
    same_path = found and found["path"] == _path(reveal(target.url))
    if not found or not same_path or (found["scheme"].lower() != "https" and endpoint.scheme == "https"):
        raise redirects(endpoint.name, f"to {_host(found)}" if found else "to another page")
    try:
        scheme, host = _origin(found, operator, None)
    except ConfigError as error:
        to = error.diagnostics[0]
        raise PortalError(
            Diagnostic(
                Code.PORTAL_MOVED,
                Message(
                    "{name} was renamed: it redirects to {host}, which may not receive the credential",
                    name=endpoint.name,
                    host=_host(found),
                ),
                hint=Message("Check that the new name is yours, and put it into the file; {hint}", hint=to.hint),
            )
        ) from None
    return replace(endpoint, scheme=scheme, host=host)


def redirects(name: str, where: str) -> PortalError:
    """The error for a redirect that is no rename of a portal."""
    return PortalError(
        Diagnostic(
            Code.NOT_BITRIX24,
            Message("{name} does not answer as a Bitrix24 portal: it redirects {where}", name=name, where=where),
            hint=Message(
                "Open the address in a browser; a login page, a proxy or a closed portal may stand in front of it."
            ),
        )
    )


def _endpoint(found: re.Match[str], operator: Operator, at: Span | None) -> Endpoint:
    scheme, host = _origin(found, operator, at)
    if found["prefix"] and not is_loopback(split_port(host)[0]):
        raise _bad(
            Message("the address of {host} has a path before /rest/", host=host),
            Message("A portal's REST begins at https://HOST/rest/."),
            at,
        )
    return Endpoint(scheme, host, found["prefix"])


def _origin(found: re.Match[str], operator: Operator, at: Span | None) -> tuple[str, str]:
    """Scheme and host, both checked."""
    scheme, host = found["scheme"].lower(), _host(found)
    if scheme == "http" and not is_loopback(found["host"].lower()):
        raise _bad(
            Message("{host}: plain http would show the credential to the network", host=host),
            Message("Write https://."),
            at,
        )
    if not is_allowed(host, operator):
        raise ConfigError(forbidden(host, at))
    return scheme, host


def _host(found: re.Match[str]) -> str:
    host = found["host"].lower()
    port = int(found["port"] or 0)
    return f"{host}:{port}" if port not in (0, _DEFAULT_PORT[found["scheme"].lower()]) else host


def _path(url: str) -> str:
    return "/" + url.split("/", 3)[3]


def _bad(summary: Message, hint: Message, at: Span | None) -> ConfigError:
    return ConfigError(Diagnostic(Code.BAD_URL, summary, hint=hint, at=at))
