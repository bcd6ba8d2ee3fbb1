"""Where requests go: an address that can be shown, and the real one, which may hold the credential.

Addresses are taken apart by one strict pattern each. A lenient parser would accept user names, backslashes or blanks,
and another program could then read another host out of the same text.

Who writes a portal's file must not be able to send a credential elsewhere: it goes to Bitrix24's cloud, its token
endpoints, loopback, and where the operator says. Names are compared as whole labels, never by how they begin or end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Final

from sipsync.model.hosts import HOST, PORT, is_loopback
from sipsync.model.message import Message
from sipsync.model.operator import Operator, host_forbidden
from sipsync.model.problems import Code, ConfigError, Diagnostic, Span
from sipsync.model.reveal import reveal
from sipsync.model.secret import Secret
from sipsync.portal.errors import Unanswered

TOKEN_URL: Final = "https://oauth.bitrix.info/oauth/token/"  # noqa: S105  # documented; not a secret

_ORIGIN = rf"(?P<scheme>https?)://(?P<host>{HOST})(?::(?P<port>{PORT}))?"
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
    prefix: str
    """The path before `/rest/`; for emulated portals on loopback only."""
    operator: Operator = field(repr=False)
    """Says which other hosts a renamed portal may have."""
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

    def moved(self, target: Target, location: Secret) -> Endpoint:
        """The portal's endpoint after a rename: another allowed host, everything else unchanged."""
        match = _LOCATION.fullmatch(reveal(location))
        if not match:
            raise redirects(self.name, Message("to another page"))
        to_https = match["scheme"].lower() == "https"
        if match["path"] != "/" + reveal(target.url).split("/", 3)[3] or (self.scheme == "https" and not to_https):
            raise redirects(self.name, Message("to {host}", host=_host(match)))
        try:
            scheme, host = _origin(match, self.operator, None)
        except ConfigError as error:
            summary = Message(
                "{name} was renamed: it redirects to {host}, which may not receive the credential",
                name=self.name,
                host=_host(match),
            )
            hint = Message(
                "Check that the new name is yours, and put it into the file. {hint}", hint=error.diagnostics[0].hint
            )
            raise _without_answer(Diagnostic(Code.PORTAL_MOVED, summary, hint=hint)) from None
        return replace(self, scheme=scheme, host=host)


def webhook(url: Secret, operator: Operator, at: Span | None) -> Endpoint:
    """The endpoint of an incoming webhook, whose host may receive it."""
    text = reveal(url)
    if text != "".join(text.split()):
        summary = Message("the webhook's URL holds white space or a line end")
        raise _bad(summary, Message("Copy the URL again, as one line without blanks."), at)
    match = _WEBHOOK.fullmatch(text)
    if not match:
        hint = Message(
            "Copy it from Bitrix24 (Developer resources, Inbound webhook), up to and including the "
            "secret, without a method such as profile.json."
        )
        raise _bad(Message("the webhook's URL does not look like https://HOST/rest/USER/SECRET/"), hint, at)
    return _endpoint(match, operator, at, Secret(f"{match['user']}/{match['secret']}/"))


def application(domain: str, operator: Operator, at: Span | None) -> Endpoint:
    """The endpoint of an application on a portal; only loopback may be given as a whole base address."""
    match = _BASE.fullmatch(domain if "://" in domain else f"https://{domain}")
    if not match or ("://" in domain and not is_loopback(match["host"])):
        summary = Message("portal.oauth.domain is not a host")
        raise _bad(summary, Message("Give the portal's host alone, such as acme.bitrix24.ru."), at)
    return _endpoint(match, operator, at, Secret(""))


def token(url: str | None, operator: Operator, at: Span | None) -> Target:
    """The address where tokens are renewed, without its query."""
    match = _TOKEN_URL.fullmatch(url or TOKEN_URL)
    if not match:
        summary = Message("token_url is not an address")
        raise _bad(summary, Message("Leave it out where it is the usual one, {url}.", url=TOKEN_URL), at)
    scheme, host = _origin(match, operator, at)
    shown = f"{scheme}://{host}{match['path']}"
    return Target(shown, Secret(shown), host)


def redirects(name: str, where: Message) -> Unanswered:
    """The error for a redirect that is no rename of a portal."""
    summary = Message("{name} does not answer as a Bitrix24 portal: it redirects {where}", name=name, where=where)
    hint = Message("Open the address in a browser; a login page, a proxy or a closed portal may stand in front of it.")
    return _without_answer(Diagnostic(Code.NOT_BITRIX24, summary, hint=hint))


def _without_answer(diagnostic: Diagnostic) -> Unanswered:
    """A redirect may follow a request that was carried out, so it tells nothing of it."""
    return Unanswered(diagnostic, temporary=False)


def _endpoint(match: re.Match[str], operator: Operator, at: Span | None, credential: Secret) -> Endpoint:
    scheme, host = _origin(match, operator, at)
    if match["prefix"] and not is_loopback(match["host"]):
        summary = Message("the address of {host} has a path before /rest/", host=host)
        raise _bad(summary, Message("A portal's REST begins at https://HOST/rest/."), at)
    return Endpoint(scheme, host, match["prefix"], operator, credential)


def _origin(match: re.Match[str], operator: Operator, at: Span | None) -> tuple[str, str]:
    """Scheme and host, both checked."""
    scheme, host, loopback = match["scheme"].lower(), _host(match), is_loopback(match["host"])
    if scheme == "http" and not loopback:
        summary = Message("{host}: plain http would show the credential to the network", host=host)
        raise _bad(summary, Message("Write https://."), at)
    if not operator.trusts(host):
        raise ConfigError(host_forbidden(host, at))
    return scheme, host


def _host(match: re.Match[str]) -> str:
    """The host in lower case, with its port where that is not the default one."""
    host = match["host"].lower()
    port = int(match["port"] or 0)
    return f"{host}:{port}" if port not in (0, _DEFAULT_PORT[match["scheme"].lower()]) else host


def _bad(summary: Message, hint: Message, at: Span | None) -> ConfigError:
    return ConfigError(Diagnostic(Code.BAD_URL, summary, hint=hint, at=at))
