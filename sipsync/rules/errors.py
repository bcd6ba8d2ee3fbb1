"""What each error code of the server means: its status, whether asking again helps, and what an admin has to do.

Decide by the code. Texts are localised, and the statuses of documents, source and live portals disagree; the status
here is the one that the server's source gives, which is what the emulated portal sends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from sipsync.model.message import Message
from sipsync.model.problems import Code

Retry: TypeAlias = Literal["never", "read", "always"]
"""`read`: only what changes nothing may be asked again. `always`: the server surely did nothing, so writes as well."""
_LOOK_UP = Message("Look the code up in the Bitrix24 REST documentation.")


@dataclass(frozen=True, slots=True)
class ErrorRule:
    """One error code of the server."""

    error: str
    status: int
    text: Message
    """The server's English words."""
    code: Code = Code.REFUSED
    advice: Message = _LOOK_UP
    retry: Retry = "never"
    wait: float | None = None
    """Seconds before the first repetition."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The server's error, and the status that comes with it."""

    code: str
    status: int = 400
    text: str = ""
    argument: str | None = None
    """The argument that it is about, where the server tells it."""

    @property
    def body(self) -> dict[str, str]:
        """The answer's JSON."""
        more = {} if self.argument is None else {"argument": self.argument}
        return {"error": self.code, "error_description": self.text, **more}


def rule(error: str | int, status: int | None = None) -> ErrorRule:
    """What the code means; one that is not known is a refusal that is not repeated.

    ACCESS_DENIED alone has two meanings, told apart by the answer's HTTP status (server source, run).
    """
    name = str(error)
    if (name, status) == (_BY_PLAN.error, _BY_PLAN.status):
        return _BY_PLAN
    return _RULES.get(name) or ErrorRule(name, 400, Message("an error that sipsync does not know"))


def refusal(error: str | int) -> Refusal:
    """The server's error of this code, with its status and its words."""
    row = rule(error)
    return Refusal(row.error, row.status, row.text)


_ACCESS = Message("Give the credential's user access to the application in its settings in Bitrix24.")
_AGAIN = Message("Install or authorise the application anew and put its new refresh token where the file refers to.")
_APP = Message(
    "Check that the application is installed on this portal and that client_id and client_secret are its own."
)
_BUSY = Message(
    "Other programs use the same portal from this address: try again later, or lower limits.rate in the file."
)
_CLOUD = Message("Delete a cloud line that is not needed, or make an office line.")
_CONFIRM = Message("Confirm the request in the portal's notifications, then try again.")
_DENIED = Message("An admin refused the request.")
_DISMISSED = Message("The credential's user was dismissed or deactivated: make a new webhook with an active user.")
_FIELDS = Message("Correct the values in the file: server and login need 1 to 100 characters, a password at most 100.")
_FILTER = Message("The server knows no such field to filter or sort by.")
_FIVE_MINUTES = Message(
    "Bitrix24 blocks the method for five minutes: try again later, or give more time: --timeout SECONDS."
)
_GONE = Message("Make a new plan: the line was deleted, or it belongs to another webhook or application.")
_HTTPS = Message("Write https:// in the portal's address.")
_LATER = Message("Try again in a few minutes; if it stays, ask Bitrix24's support.")
_MODULE = Message("The portal's telephony module is missing or too old.")
_PLAN = Message("REST needs a paid plan or a Market subscription; ask the portal's owner.")
_PORTAL = Message("The portal is closed or was deleted: take its file out, or ask Bitrix24's support.")
_PROVIDER = Message(
    "The telephony provider does not know the registration or could not be reached, and nothing was deleted: try again "
    "later; if it stays, delete the line in Bitrix24."
)
_RIGHT = Message(
    'The user of the webhook or application needs the telephony right "Manage numbers: modify: any", and the portal a '
    "plan with REST."
)
_SCOPE = Message("Tick \"Telephony (telephony)\" in the webhook's or application's settings in Bitrix24.")
_SUPPORT = Message("Only Bitrix24's support can lift the block; trying again makes it longer.")
_TITLE = Message(
    "Choose another title, or rename what holds it: a line of another owner, a rented number or a caller id."
)
_TOKEN = Message(
    "Have the token renewed: by the program that owns it, or by sipsync with client_id, client_secret and "
    "refresh_token."
)
_WEBHOOK = Message(
    "Copy the whole URL of an inbound webhook of an active user anew (Developer resources, Inbound webhook)."
)

_FULL = Message("You cannot connect more than 10 cloud hosted PBX's.")
_NO_ACCESS = Message("The user does not have access to the application.")
_NOT_INSTALLED = Message("Application not installed")
_NO_CONFIG = Message("Configuration was not found.")
_NO_CONNECTION = Message("Error connecting to authorization server")
_NO_ID = Message("The number configuration ID is not specified.")
_NOT_ALLOWED = Message("a field has a value that is not allowed")
_SPENT = Message("Method is blocked due to operation time limit.")
_SCOPES = Message("The request requires higher privileges than provided by the access token")
_TAKEN = Message("The specified connection name is already used in the system.")

_BY_PLAN = ErrorRule(
    "ACCESS_DENIED", 401, Message("REST is not available on the portal's plan"), Code.SUBSCRIPTION, _PLAN
)
_RULES: dict[str, ErrorRule] = {
    row.error: row
    for row in (
        # lines (server source; docs)
        ErrorRule("CHECK_FIELDS_ERROR", 400, _NOT_ALLOWED, Code.BAD_VALUE, _FIELDS),
        ErrorRule("TITLE_EXISTS", 400, _TAKEN, Code.TITLE_HELD, _TITLE),
        ErrorRule("MAX_CLOUD_PBX", 400, _FULL, Code.CLOUD_LIMIT, _CLOUD),
        ErrorRule("ERROR_NOT_FOUND", 404, Message("Specified CONFIG_ID is not found"), Code.LINE_NOT_FOUND, _GONE),
        ErrorRule("CONFIG_NOT_FOUND", 400, _NO_CONFIG, Code.LINE_NOT_FOUND, _GONE),
        ErrorRule("CONFIG_ID_NULL", 400, _NO_ID, Code.LINE_NOT_FOUND, _GONE),
        # Nothing is done locally where the remote part fails (server source), but the remote part may be done.
        ErrorRule("REG_ID_NOT_FOUND", 400, _NO_CONFIG, Code.REFUSED, _PROVIDER, "read", 2.0),
        ErrorRule("ACCESS_DENIED", 403, Message("Access denied!"), Code.NO_RIGHT, _RIGHT),
        ErrorRule("ERROR_ARGUMENT", 400, Message("An argument has a value that is not allowed."), Code.BAD_VALUE),
        # credentials (server source)
        ErrorRule("expired_token", 401, Message("The access token provided has expired"), Code.TOKEN, _TOKEN),
        ErrorRule("invalid_token", 401, Message("Unable to get application by token"), Code.TOKEN, _AGAIN),
        ErrorRule("NO_AUTH_FOUND", 401, Message("Wrong authorization data"), Code.CREDENTIAL, _WEBHOOK),
        ErrorRule("INVALID_CREDENTIALS", 401, Message("Invalid request credentials"), Code.CREDENTIAL, _WEBHOOK),
        ErrorRule("authorization_error", 401, Message("Unable to authorize user"), Code.CREDENTIAL, _DISMISSED),
        ErrorRule("APPLICATION_NOT_FOUND", 401, Message("Application not found"), Code.CREDENTIAL, _APP),
        ErrorRule("ERROR_OAUTH", 401, _NOT_INSTALLED, Code.CREDENTIAL, _APP),
        ErrorRule("NOT_INSTALLED", 401, _NOT_INSTALLED, Code.CREDENTIAL, _APP),
        ErrorRule("wrong_client", 200, Message("Wrong client"), Code.CREDENTIAL, _APP),
        ErrorRule("user_access_error", 401, _NO_ACCESS, Code.CREDENTIAL, _ACCESS),
        ErrorRule("insufficient_scope", 401, _SCOPES, Code.NO_SCOPE, _SCOPE),
        ErrorRule("INVALID_REQUEST", 400, Message("Https required."), Code.BAD_URL, _HTTPS),
        ErrorRule("PAYMENT_REQUIRED", 401, Message("Subscription has been ended"), Code.SUBSCRIPTION, _PLAN),
        ErrorRule("WRONG_LICENSE", 401, Message("The portal's license is not valid"), Code.SUBSCRIPTION, _PLAN),
        ErrorRule("PORTAL_DELETED", 403, Message("Portal was deleted"), Code.PORTAL_GONE, _PORTAL),
        ErrorRule("METHOD_CONFIRM_WAITING", 401, Message("Waiting for confirmation"), Code.NO_RIGHT, _CONFIRM),
        ErrorRule("METHOD_CONFIRM_DENIED", 403, Message("Method call denied"), Code.NO_RIGHT, _DENIED),
        # the token endpoint (documented)
        ErrorRule("invalid_request", 400, Message("Invalid request"), Code.TOKEN, _APP),
        ErrorRule("invalid_client", 400, Message("Invalid client"), Code.TOKEN, _APP),
        ErrorRule("invalid_grant", 400, Message("Invalid grant"), Code.TOKEN, _AGAIN),
        ErrorRule("invalid_scope", 403, Message("Invalid scope"), Code.NO_SCOPE, _SCOPE),
        # limits (documented; server source)
        ErrorRule("QUERY_LIMIT_EXCEEDED", 503, Message("Too many requests"), Code.RATE_LIMIT, _BUSY, "always", 2.0),
        ErrorRule("OPERATION_TIME_LIMIT", 429, _SPENT, Code.RATE_LIMIT, _FIVE_MINUTES, "always", 300.0),
        ErrorRule("OVERLOAD_LIMIT", 503, Message("REST API is blocked due to overload."), Code.BLOCKED, _SUPPORT),
        ErrorRule("CONNECT_ERROR", 400, Message("The telephony provider can't be reached"), advice=_LATER),
        # Asked before the method is run (server source).
        ErrorRule("CONNECTION_ERROR", 401, _NO_CONNECTION, Code.UNREACHABLE, _LATER, "always", 1.0),
        # the server itself
        ErrorRule("ERROR_METHOD_NOT_FOUND", 404, Message("Method not found!"), Code.REFUSED, _MODULE),
        ErrorRule("ERROR_BATCH_LENGTH_EXCEEDED", 400, Message("Max batch length exceeded"), retry="always"),
        ErrorRule("ERROR_BATCH_METHOD_NOT_ALLOWED", 400, Message("Method is not allowed for batch usage")),
        ErrorRule("WRONG_ENCODING", 200, Message("Wrong request encoding")),
        ErrorRule("ERROR_CORE", 400, Message("Internal error"), advice=_LATER, retry="read"),
        ErrorRule("INTERNAL_SERVER_ERROR", 500, Message("Internal server error"), advice=_LATER, retry="read"),
        ErrorRule("ERROR_UNEXPECTED_ANSWER", 500, Message("Unexpected answer"), advice=_LATER, retry="read"),
        ErrorRule("100", 400, Message("Unknown field definition"), Code.BAD_VALUE, _FILTER),
    )
}
