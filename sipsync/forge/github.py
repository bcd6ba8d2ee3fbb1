"""Comments of a pull request on GitHub (documented: REST API, issue comments)."""

from __future__ import annotations

from typing import Final

from sipsync.forge.dialect import Dialect
from sipsync.model.message import Message

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
            Message("does not accept the token"),
            Message("It may have expired; give the job GITHUB_TOKEN: ${{ github.token }}."),
        ),
        403: (
            Message("does not let this token write comments"),
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
        422: (
            Message("refuses the comment; it is probably longer than 65,536 characters"),
            Message("Give it a shorter text: the format markdown is cut to fit."),
        ),
    },
)
