"""The one comment, against a real HTTP server that speaks both forges' endpoints."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from sipsync.forge.comment import Posted, post
from sipsync.forge.target import Kind, Target
from sipsync.model.problems import Code, Exit, SipsyncError
from sipsync.model.secret import Secret
from sipsync.report.formats.markdown import marker

TOKEN = "ghp_c4n4ryt0k3n"
MARKER = marker("plan", "acme")
KINDS: tuple[Kind, ...] = ("github", "gitlab")


class Forge:
    """One pull request and one merge request with number 7."""

    def __init__(self) -> None:
        self.url = ""
        self.reset()

    def reset(self) -> None:
        self.comments: list[dict[str, Any]] = []
        self.requests: list[str] = []
        self.headers: set[tuple[str | None, str | None]] = set()
        self.answers: list[Response | None] = []
        self.swallowed = False
        self.me: object = {"login": "us", "username": "us"}

    def add(self, body: str, author: str = "us", kind: str = "User", **more: object) -> int:
        person = {"login": author, "username": author, "type": kind}
        row = {"id": len(self.comments) + 1, "body": body, "user": person, "author": person, **more}
        self.comments.append(row)
        return len(self.comments)

    def texts(self) -> list[str]:
        return [row["body"] for row in self.comments]

    async def answer(self, request: Request) -> Response:
        self.requests.append(f"{request.method} {request.url.path}")
        self.headers.add((request.headers.get("authorization"), request.headers.get("job-token")))
        planned = self.answers.pop(0) if self.answers else None
        if planned is not None and not self.swallowed:
            return planned
        done = await self._carry_out(request)
        return planned or done

    async def _carry_out(self, request: Request) -> Response:
        if request.url.path.endswith("/user"):
            return JSONResponse(self.me) if self.me else JSONResponse({"message": "not accessible"}, 403)
        if request.method == "GET":
            page, size = int(request.query_params["page"]), int(request.query_params["per_page"])
            return JSONResponse(self.comments[(page - 1) * size : page * size])
        body = (await request.json())["body"]
        if request.method == "POST":
            row = self.comments[self.add(body) - 1]
            return JSONResponse({**row, "html_url": f"https://forge.example/{row['id']}"}, 201)
        row = self.comments[int(request.path_params["id"]) - 1]
        row["body"] = body
        return JSONResponse({**row, "html_url": f"https://forge.example/{row['id']}"})


GITHUB = "/repos/acme/sip/issues"
GITLAB = "/projects/group/sip/merge_requests/7/notes"


@pytest.fixture(scope="module")
def served() -> Iterator[Forge]:
    forge = Forge()
    routes = [
        Route("/user", forge.answer),
        Route(f"{GITHUB}/7/comments", forge.answer, methods=["GET", "POST"]),
        Route(f"{GITHUB}/comments/{{id}}", forge.answer, methods=["PATCH"]),
        Route(GITLAB, forge.answer, methods=["GET", "POST"]),
        Route(f"{GITLAB}/{{id}}", forge.answer, methods=["PUT"]),
    ]
    listener = socket.create_server(("127.0.0.1", 0))
    forge.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), log_config=None, lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield forge
    server.should_exit = True
    thread.join()


@pytest.fixture
def forge(served: Forge, caplog: pytest.LogCaptureFixture) -> Iterator[Forge]:
    served.reset()
    with caplog.at_level(logging.DEBUG):
        yield served
    assert TOKEN not in caplog.text


def target(forge: Forge, kind: Kind, **changed: Any) -> Target:
    project = "acme/sip" if kind == "github" else "group/sip"
    return replace(Target(kind, forge.url, project, 7, Secret(TOKEN)), **changed)


class Sleeps(list[float]):
    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def posted(forge: Forge, kind: Kind, body: str, **changed: Any) -> Posted:
    return post(target(forge, kind, **changed), body, MARKER, sleep=Sleeps())


def refused(forge: Forge, kind: Kind = "github", sleeps: Sleeps | None = None, **changed: Any) -> SipsyncError:
    with pytest.raises(SipsyncError) as caught:
        post(target(forge, kind, **changed), "plan", MARKER, sleep=sleeps if sleeps is not None else Sleeps())
    assert caught.value.code is Code.FORGE
    assert caught.value.exit is Exit.ERROR
    assert caught.value.diagnostics[0].hint
    assert TOKEN not in repr(caught.value.diagnostics)
    assert caught.value.__cause__ is None
    return caught.value


@pytest.mark.parametrize("kind", KINDS)
def test_the_comment_is_made_once_then_edited_then_left_alone(forge: Forge, kind: Kind) -> None:
    forge.add("a person's comment", author="someone")
    first = posted(forge, kind, "plan 1")
    assert (first.result, first.url) == ("created", "https://forge.example/2")
    assert posted(forge, kind, "plan 2").result == "updated"
    assert posted(forge, kind, "plan 2").result == "unchanged"
    assert forge.texts() == ["a person's comment", f"{MARKER}\nplan 2"]
    assert forge.headers == {(f"Bearer {TOKEN}", None)}


@pytest.mark.parametrize("kind", KINDS)
def test_the_comment_is_found_on_a_later_page(forge: Forge, kind: Kind) -> None:
    for number in range(200):
        forge.add(f"talk {number}")
    forge.add(f"{MARKER}\nold")
    assert posted(forge, kind, "new").result == "updated"
    assert len(forge.comments) == 201
    assert sum(request.startswith("GET") and "user" not in request for request in forge.requests) == 3


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_last_page_is_followed_by_an_empty_one(forge: Forge, kind: Kind) -> None:
    for number in range(100):
        forge.add(f"talk {number}")
    assert posted(forge, kind, "new").result == "created"


@pytest.mark.parametrize("kind", KINDS)
def test_a_comment_with_the_mark_by_somebody_else_is_never_edited(forge: Forge, kind: Kind) -> None:
    forge.add(f"{MARKER}\nforged", author="mallory")
    forge.add(f"> {MARKER}\nquoted")
    assert posted(forge, kind, "plan").result == "created"
    assert forge.texts()[0] == f"{MARKER}\nforged"


def test_a_job_of_github_that_cant_ask_who_it_is_edits_bots_comments_only(forge: Forge) -> None:
    forge.me = None
    forge.add(f"{MARKER}\nforged", author="mallory")
    assert posted(forge, "github", "plan").result == "created"
    forge.comments[1]["user"] = {"login": "github-actions[bot]", "type": "Bot"}
    assert posted(forge, "github", "plan 2").result == "updated"
    assert forge.texts() == [f"{MARKER}\nforged", f"{MARKER}\nplan 2"]


def test_a_job_of_gitlab_that_cant_ask_who_it_is_leaves_system_notes_alone(forge: Forge) -> None:
    forge.me = None
    forge.add(f"{MARKER}\nmarked", system=True)
    forge.add(f"{MARKER}\nold")
    assert posted(forge, "gitlab", "plan", job_token=True).result == "updated"
    assert forge.texts() == [f"{MARKER}\nmarked", f"{MARKER}\nplan"]
    assert forge.headers == {(None, TOKEN)}


@pytest.mark.parametrize("me", [["us"], {"login": 7, "username": 7}])
def test_an_odd_answer_to_who_we_are_is_no_answer(forge: Forge, me: object) -> None:
    forge.me = me
    forge.add(f"{MARKER}\nold", kind="Bot")
    assert posted(forge, "github", "plan").result == "updated"


def test_a_comment_without_an_author_may_be_ours(forge: Forge) -> None:
    forge.add(f"{MARKER}\nold")
    forge.comments[0] |= {"user": None}
    assert posted(forge, "github", "plan").result == "updated"
    forge.me = None
    assert posted(forge, "github", "plan 2").result == "updated"


def test_two_targets_have_a_comment_each(forge: Forge) -> None:
    posted(forge, "github", "plan of acme")
    post(target(forge, "github"), "plan of other", marker("plan", "other"), sleep=Sleeps())
    assert len(forge.comments) == 2


def test_a_text_that_already_begins_with_the_mark_is_sent_as_it_is(forge: Forge) -> None:
    assert posted(forge, "github", f"{MARKER}\nplan").body == f"{MARKER}\nplan"


def test_line_ends_of_browsers_are_no_difference(forge: Forge) -> None:
    forge.add(f"{MARKER}\r\nplan\r\n")
    assert posted(forge, "github", "plan\n").result == "unchanged"


def test_a_dry_run_sends_nothing(forge: Forge) -> None:
    planned = post(target(forge, "github"), "plan", MARKER, dry_run=True, sleep=Sleeps())
    assert planned == Posted("planned", f"{MARKER}\nplan")
    assert forge.requests == []


@pytest.mark.parametrize(
    ("name", "mark"),
    [
        ("acme", "<!-- sipsync:plan:acme -->"),
        ("prod/acme 1.x_y", "<!-- sipsync:plan:prod-acme-1.x_y -->"),
        ("--> <script>", "<!-- sipsync:plan:script -->"),
        ("a--b-/-c", "<!-- sipsync:plan:a-b-c -->"),
        ("Склад", "<!-- sipsync:plan:all -->"),
        ("", "<!-- sipsync:plan:all -->"),
    ],
)
def test_a_name_cant_break_out_of_the_mark(name: str, mark: str) -> None:
    assert marker("plan", name) == mark


@pytest.mark.parametrize(
    ("kind", "status", "says", "hint"),
    [
        ("github", 401, "does not accept the token", "GITHUB_TOKEN"),
        ("github", 403, "does not let this token write", "pull-requests: write"),
        ("github", 404, "does not know the pull request", "GITHUB_REPOSITORY"),
        ("github", 422, "longer than 65,536 characters", "markdown"),
        ("github", 418, "answered with status 418", "token"),
        ("gitlab", 400, "longer than 1,000,000 characters", "markdown"),
        ("gitlab", 401, "does not accept the token", "scope api"),
        ("gitlab", 403, "does not let this token write", "role Developer"),
        ("gitlab", 404, "does not know the merge request", "CI_PROJECT_ID"),
    ],
)
def test_a_refusal_says_what_to_do_and_is_not_repeated(
    forge: Forge, kind: Kind, status: int, says: str, hint: str
) -> None:
    forge.answers = [None, None, JSONResponse({"message": f"no {TOKEN}"}, status)]
    error = refused(forge, kind)
    assert says in str(error)
    assert hint in error.diagnostics[0].hint
    assert len(forge.requests) == 3
    assert forge.comments == []


def test_a_project_that_moved_is_an_error(forge: Forge) -> None:
    forge.answers = [None, RedirectResponse("/elsewhere", 301)]
    assert "has moved" in str(refused(forge))


@pytest.mark.parametrize(
    "answer", [PlainTextResponse("<html>"), JSONResponse({}), JSONResponse([1]), JSONResponse([{}])]
)
def test_what_is_not_the_forges_api_is_an_error(forge: Forge, answer: Response) -> None:
    forge.answers = [None, answer]
    assert "not the forge's API" in str(refused(forge))


@pytest.mark.parametrize(
    "answer",
    [
        PlainTextResponse("", 502),
        JSONResponse({}, 429),
        JSONResponse({"message": "secondary rate limit"}, 403, headers={"Retry-After": "3"}),
        JSONResponse({}, 403, headers={"X-RateLimit-Remaining": "0"}),
    ],
    ids=["502", "429", "secondary limit", "limit"],
)
@pytest.mark.parametrize("before", [0, 1, 2])
def test_a_failure_that_passes_is_waited_out(forge: Forge, answer: Response, before: int) -> None:
    forge.answers = [None] * before + [answer]
    sleeps = Sleeps()
    assert post(target(forge, "github"), "plan", MARKER, sleep=sleeps).result == "created"
    assert sleeps == [3.0 if "retry-after" in answer.headers else 1.0]
    assert forge.texts() == [f"{MARKER}\nplan"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_comment_whose_writing_was_not_answered_is_not_written_twice(forge: Forge, kind: Kind) -> None:
    forge.answers, forge.swallowed = [None, None, PlainTextResponse("", 504)], True
    assert posted(forge, kind, "plan").result == "unchanged"
    assert forge.texts() == [f"{MARKER}\nplan"]


def test_a_failure_that_stays_is_given_up_after_a_few_tries(forge: Forge) -> None:
    forge.answers = [PlainTextResponse("", 503, headers={"Retry-After": "9999"}) for _ in range(9)]
    sleeps = Sleeps()
    assert "failed with status 503" in str(refused(forge, sleeps=sleeps))
    assert sleeps == [60.0, 60.0, 60.0]
    assert len(forge.requests) == 4


def test_a_limit_that_lasts_longer_is_not_waited_for(forge: Forge) -> None:
    forge.answers = [None, JSONResponse({}, 429, headers={"Retry-After": "3600"})]
    sleeps = Sleeps()
    assert "3600 s" in str(refused(forge, sleeps=sleeps))
    assert sleeps == []


@pytest.mark.parametrize("api", ["http://127.0.0.1:1", "http://[::1", "http://127.0.0.1:99999"])
def test_a_forge_that_cant_be_reached_is_an_error_after_a_few_tries(forge: Forge, api: str) -> None:
    sleeps = Sleeps()
    assert "can't be reached" in str(refused(forge, sleeps=sleeps, api=api))
    assert sleeps == [1.0, 4.0, 15.0]


def test_certificates_that_cant_be_read_are_an_error(
    forge: Forge, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path))
    monkeypatch.setenv("ALL_PROXY", "nonsense://x")
    assert "SSL_CERT_FILE" in refused(forge).diagnostics[0].hint
