"""Which pull or merge request, at which API, with which token: read from the variables that CI sets."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic, SipsyncError
from sipsync.model.secret import Secret

Kind: TypeAlias = Literal["github", "gitlab"]

_MAX_EVENT: Final = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Target:
    """One pull or merge request, and how to reach it."""

    kind: Kind
    api: str
    """The API's base address, without a slash at its end."""
    project: str
    """`owner/name`, or GitLab's id or path."""
    number: int
    token: Secret
    job_token: bool = False
    """Whether the token is a GitLab job's own, which is sent another way."""


def target_from_environ(environ: Mapping[str, str], kind: Kind, number: int | None = None) -> Target:
    """The request that this CI job is about, or the one of this number; raises SipsyncError FORGE."""
    return _github(environ, number) if kind == "github" else _gitlab(environ, number)


def no_api(why: Message) -> SipsyncError:
    """The error where what answers is something else."""
    summary = Message("what answers is not the forge's API: {why}", why=why)
    return failed(summary, Message("Check the API's address."))


def failed(summary: Message, hint: Message) -> SipsyncError:
    """The error for a comment that can't be written."""
    return SipsyncError(Diagnostic(Code.FORGE, summary, hint=hint))


def _github(environ: Mapping[str, str], number: int | None) -> Target:
    repository = environ.get("GITHUB_REPOSITORY", "")
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repository, re.ASCII):
        summary = Message("GITHUB_REPOSITORY does not name a repository")
        raise failed(summary, Message("Set it to owner/name; GitHub's jobs have it set."))
    number = number or _event_number(environ) or _ref_number(environ)
    if not number:
        hint = Message(
            "Run it on the event pull_request; GITHUB_EVENT_PATH, or GITHUB_REF refs/pull/N/merge, tells which."
        )
        raise failed(Message("this job is not about a pull request"), hint)
    token, _ = _token(environ, "SIPSYNC_FORGE_TOKEN", "GITHUB_TOKEN", "GH_TOKEN")
    return Target("github", _base(environ, "GITHUB_API_URL", "https://api.github.com"), repository, number, token)


def _gitlab(environ: Mapping[str, str], number: int | None) -> Target:
    project = environ.get("CI_PROJECT_ID", "")
    if not project:
        summary = Message("CI_PROJECT_ID is not set")
        raise failed(summary, Message("Set it to the project's id; GitLab's jobs have it set."))
    number = number or _positive(environ.get("CI_MERGE_REQUEST_IID", ""))
    if not number:
        hint = Message("Run it in merge request pipelines: rules: if $CI_PIPELINE_SOURCE == 'merge_request_event'.")
        raise failed(Message("this job is not about a merge request"), hint)
    token, name = _token(environ, "SIPSYNC_FORGE_TOKEN", "GITLAB_TOKEN", "CI_JOB_TOKEN")
    base = _base(environ, "CI_API_V4_URL", "https://gitlab.com/api/v4")
    return Target("gitlab", base, project, number, token, job_token=name == "CI_JOB_TOKEN")


def _base(environ: Mapping[str, str], name: str, default: str) -> str:
    base = (environ.get(name) or default).rstrip("/")
    if not re.fullmatch(r"https?://[^\s@?#]+", base):
        summary = Message("{name} is not an address", name=name)
        raise failed(summary, Message("Unset it, or set it like {default}.", default=default))
    return base


def _token(environ: Mapping[str, str], *names: str) -> tuple[Secret, str]:
    """The first token that is given, and its variable."""
    for name in names:
        if token := environ.get(name, "").strip():
            if not re.fullmatch("[!-~]+", token):  # else HTTP libraries would quote it in their complaints
                summary = Message("{name} does not hold a token", name=name)
                raise failed(summary, Message("Copy the token again, without blanks or line ends."))
            return Secret(token), name
    summary = Message("there is no token to write a comment with")
    raise failed(summary, Message("Set {names} or {names2}.", names=names[0], names2=names[1]))


def _event_number(environ: Mapping[str, str]) -> int | None:
    """The pull request of the event that started a GitHub job."""
    path = environ.get("GITHUB_EVENT_PATH")
    if not path:
        return None
    try:
        with Path(path).open("rb") as file:
            event = json.loads(file.read(_MAX_EVENT))
        about = event["pull_request"] if "pull_request" in event else event["issue"]
        return _positive(str(about["number"]))
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None


def _ref_number(environ: Mapping[str, str]) -> int | None:
    found = re.fullmatch("refs/pull/([0-9]+)/(?:merge|head)", environ.get("GITHUB_REF", ""))
    return _positive(found[1]) if found else None


def _positive(text: str) -> int | None:
    return int(text) if re.fullmatch("[1-9][0-9]{0,18}", text) else None
