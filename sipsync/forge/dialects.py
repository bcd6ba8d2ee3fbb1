"""In what GitHub and GitLab differ where it is about comments (documented: issue comments, Notes API)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from sipsync.forge.http import Hints
from sipsync.forge.target import Target
from sipsync.model.message import Message


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one forge wants to be asked."""

    comments: Callable[[Target], str]
    """The path of a request's comments."""
    comment: Callable[[Target, int], str]
    """The path of one of them."""
    edit: str
    """The method that changes one."""
    oldest_first: Mapping[str, str]
    """What to add to a listing for this order."""
    header: Callable[[Target], tuple[str, str]]
    """Where the token goes: a header, and what stands there before the token."""
    author: str
    """The key of a comment's author."""
    name: str
    """The key of an author's unique name."""
    writable: Callable[[Mapping[str, Any]], bool]
    """Whether a comment may be ours where the forge does not tell who we are."""
    hints: Hints


_UNKNOWN_TOKEN: Final = Message("does not accept the token")
_MAY_NOT_WRITE: Final = Message("does not let this token write comments")


def _too_long(most: str) -> tuple[Message, Message]:
    summary = Message("refuses the comment; it is probably longer than {most} characters", most=most)
    return summary, Message("Give it a shorter text: the format markdown is cut to fit.")


GITHUB: Final = Dialect(
    comments=lambda target: f"/repos/{target.project}/issues/{target.number}/comments",
    comment=lambda target, comment: f"/repos/{target.project}/issues/comments/{comment}",
    edit="PATCH",
    oldest_first={},  # always so (documented)
    header=lambda _: ("Authorization", "Bearer "),
    author="user",
    name="login",
    # A job's own token can't ask who it is (documented), and writes as a bot.
    writable=lambda row: (row.get("user") or {}).get("type", "Bot") == "Bot",
    hints={
        401: (
            _UNKNOWN_TOKEN,
            Message("It may have expired; give the job GITHUB_TOKEN: ${{ github.token }}."),
        ),
        403: (
            _MAY_NOT_WRITE,
            Message("Give the job `permissions: pull-requests: write`; a pull request from a fork never has it."),
        ),
        404: (
            Message("does not know the pull request, or hides it from this token"),
            Message("Check GITHUB_REPOSITORY and the number; the job needs `permissions: pull-requests: write`."),
        ),
        410: (
            Message("has the comments of this pull request switched off"),
            Message("Switch them on, or unlock the conversation."),
        ),
        422: _too_long("65,536"),
    },
)


def _notes(target: Target) -> str:
    return f"/projects/{quote(target.project, safe='')}/merge_requests/{target.number}/notes"


GITLAB: Final = Dialect(
    comments=_notes,
    comment=lambda target, note: f"{_notes(target)}/{note}",
    edit="PUT",
    oldest_first={"sort": "asc", "order_by": "created_at"},
    # Bearer takes personal, project and OAuth tokens alike; a job's own token has a header of its own (documented).
    header=lambda target: ("JOB-TOKEN", "") if target.job_token else ("Authorization", "Bearer "),
    author="author",
    name="username",
    writable=lambda row: not row.get("system"),
    hints={
        400: _too_long("1,000,000"),
        401: (
            _UNKNOWN_TOKEN,
            Message(
                "Set GITLAB_TOKEN to a project access token with the scope api; CI_JOB_TOKEN may not write comments."
            ),
        ),
        403: (
            _MAY_NOT_WRITE,
            Message("The token needs the scope api and the role Developer; CI_JOB_TOKEN may not write comments."),
        ),
        404: (
            Message("does not know the merge request, or hides it from this token"),
            Message("Check CI_PROJECT_ID and the number; the token must belong to this project."),
        ),
        413: _too_long("1,000,000"),
        422: _too_long("1,000,000"),
    },
)

DIALECTS: Final = {"github": GITHUB, "gitlab": GITLAB}
