"""Which hosts may receive a credential: Bitrix24's cloud, its token endpoints, loopback, and what the operator adds.

Who writes a portal's file must not be able to send a credential elsewhere, so names are compared as whole labels, never
by how they begin or end.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic

if TYPE_CHECKING:
    from sipsync.model.operator import Operator
    from sipsync.model.problems import Span

_ZONES = "by cn com com.br com.tr de es eu fr id in it jp kz pl ru ua vn"  # server source: zones of portals
CLOUD = frozenset(f"bitrix24.{zone}" for zone in _ZONES.split())
"""A portal of the cloud is one label under one of these."""

TOKEN_HOSTS = frozenset({"oauth.bitrix.info", "oauth.bitrix24.tech"})
"""Where applications renew tokens: as documented, and as the vendor's SDK does."""

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


def is_loopback(host: str) -> bool:
    """Whether a host (without port) is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def split_port(host: str) -> tuple[str, int | None]:
    """A host and its port; an IPv6 address keeps its brackets."""
    name, colon, port = host.rpartition(":")
    if colon and port.isdecimal() and (name.endswith("]") or ":" not in name):
        return name, int(port)
    return host, None


def is_allowed(host: str, operator: Operator) -> bool:
    """Whether `host` or `host:port` (lower case, no port for the default one) may receive a credential."""
    name, port = split_port(host)
    if is_loopback(name) or host in {allowed.lower() for allowed in operator.hosts}:
        return True
    label, _, domain = name.partition(".")
    in_cloud = domain in CLOUD and _LABEL.fullmatch(label) is not None
    return port is None and (in_cloud or name in TOKEN_HOSTS)


def forbidden(host: str, at: Span | None = None) -> Diagnostic:
    """The finding for a host that may not receive a credential."""
    return Diagnostic(
        Code.HOST_FORBIDDEN,
        Message(
            "{host} may not receive a credential: it is neither a portal of Bitrix24's cloud nor "
            "allowed by the operator",
            host=host,
        ),
        hint=Message("If it is your own portal, whoever runs sipsync allows it: SIPSYNC_HOSTS={host}.", host=host),
        at=at,
    )
