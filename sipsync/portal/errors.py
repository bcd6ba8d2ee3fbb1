"""The two errors of a request without an answer, and why there was none, told from the system's own errors."""

from __future__ import annotations

import socket
import ssl

from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic, PortalError


class _Broken(PortalError):
    """No answer; `temporary` where asking again may help."""

    def __init__(self, diagnostic: Diagnostic, *, temporary: bool = True) -> None:
        super().__init__(diagnostic)
        self.temporary = temporary


class Unreached(_Broken):
    """Nothing was sent."""


class Unanswered(_Broken):
    """It was sent and no usable answer came."""


class Overdue(PortalError):
    """Nothing was sent: what the writing calls were compared with had become too old when their turn came."""

    def __init__(self, host: str) -> None:
        super().__init__(Diagnostic(Code.RATE_LIMIT, Message("what was read of {host} is too old to write", host=host)))


def unreached(host: str, reason: Message, hint: Message, *, temporary: bool = False) -> Unreached:
    """The error for a host that nothing could be sent to."""
    summary = Message("{host} can't be reached: {reason}", host=host, reason=reason)
    return Unreached(Diagnostic(Code.UNREACHABLE, summary, hint=hint), temporary=temporary)


_IN_THE_WAY = Message("Check the host name, the network and whether a firewall or proxy is in the way.")


def no_connection_within(host: str, seconds: float) -> Unreached:
    """The error for a host that does not take connections in time."""
    summary = Message("{host} can't be reached: no connection within {seconds:.0f} seconds", host=host, seconds=seconds)
    return Unreached(Diagnostic(Code.TIMEOUT, summary, hint=_IN_THE_WAY))


def no_answer_within(host: str, seconds: float) -> Unanswered:
    """The error for a host that took a request and is silent, or too slow."""
    summary = Message("{host} did not answer within {seconds:.0f} seconds", host=host, seconds=seconds)
    hint = Message("Try again later; if it happens again, look at the portal and the network in between.")
    return Unanswered(Diagnostic(Code.TIMEOUT, summary, hint=hint))


def cut_off(host: str) -> Unanswered:
    """The error for a connection that broke."""
    summary = Message("the connection to {host} broke before the answer was complete", host=host)
    hint = Message("Try again; what was sent may have been carried out.")
    return Unanswered(Diagnostic(Code.UNREACHABLE, summary, hint=hint))


def unusable(host: str, why: Message) -> Unanswered:
    """The error for a body that can't be read as a whole."""
    summary = Message("the answer of {host} is of no use: {why}", host=host, why=why)
    hint = Message("Try again; if it happens again, a proxy or firewall may stand in between.")
    return Unanswered(Diagnostic(Code.NOT_BITRIX24, summary, hint=hint))


def no_connection(host: str, error: BaseException) -> Unreached:
    """Why there is no connection and what to do, told by the operating system's error below `error`."""
    cause: BaseException | None = error
    while cause:
        if isinstance(cause, ssl.SSLCertVerificationError):
            hint = Message("A company proxy may replace certificates: SSL_CERT_FILE names the file of trusted ones.")
            return unreached(host, Message("its certificate is not trusted"), hint)
        # A handshake that the host ends is a reset without a number of the system's (asyncio's source).
        if isinstance(cause, ssl.SSLError) or (isinstance(cause, ConnectionResetError) and cause.errno is None):
            hint = Message("Check that the host speaks https there.")
            return unreached(host, Message("no secure connection could be made"), hint)
        if isinstance(cause, socket.gaierror | UnicodeError):  # the latter: a name that can be none
            hint = Message("Check the spelling of the host's name, and the network's name server.")
            passes = isinstance(cause, socket.gaierror) and cause.errno == socket.EAI_AGAIN
            return unreached(host, Message("there is no such host"), hint, temporary=passes)
        if isinstance(cause, ConnectionRefusedError):
            hint = Message("Check the address; an emulated portal has to be started first.")
            return unreached(host, Message("it refuses connections"), hint, temporary=True)
        # A host with several addresses gives a group: one error for each.
        cause = cause.exceptions[0] if isinstance(cause, BaseExceptionGroup) else cause.__cause__ or cause.__context__
    return unreached(host, Message("no connection could be made"), _IN_THE_WAY, temporary=True)
