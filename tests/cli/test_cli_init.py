"""`init` and `import`: from a webhook to a file whose plan is empty, and nothing written before that is certain."""

from __future__ import annotations

import io
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from support.runs import Terminal

if TYPE_CHECKING:
    from support.runs import Sipsync


def _give(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def _files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {"state"}


@pytest.fixture
def fresh(acme: Any, home: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The portal, and an empty folder."""
    monkeypatch.chdir(home)
    return acme


def test_init_asks_unseen_checks_and_shows_an_empty_plan(fresh: Any, home: Path) -> None:
    terminal = Terminal("init")
    terminal.until("Webhook (not shown while you paste): ")
    assert 'tick the box "Telephony (telephony)"' in terminal.shown
    terminal.type(fresh.webhook + "\n")
    assert terminal.end() == 0
    assert fresh.webhook not in terminal.shown
    assert "No changes." in terminal.shown
    assert "sipsync apply" in terminal.shown
    assert _files(home) == {"sipsync.yaml", ".sipsync/webhook", ".sipsync/schema.json", ".sipsync/.gitignore"}
    kept = home / ".sipsync" / "webhook"
    assert kept.read_text() == fresh.webhook + "\n"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    text = (home / "sipsync.yaml").read_text()
    assert "webhook: file:.sipsync/webhook" in text
    assert "$schema=.sipsync/schema.json" in text
    assert "config_id: 101" in text


def test_what_init_wrote_works_without_init(
    fresh: Any, sipsync: Sipsync, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _give(monkeypatch, fresh.webhook + "\n")
    assert sipsync("init", "lines", "--webhook-stdin").code == 0
    ran = sipsync("plan", "lines/sipsync.yaml", "--detailed-exitcode")
    assert (ran.code, ran.out.splitlines()[0]) == (0, "No changes. Your SIP lines match the configuration.")
    assert sipsync("fmt", "--check", "lines").code == 0


@pytest.mark.parametrize(
    ("forge", "workflow"), [("github", ".github/workflows/sipsync.yml"), ("gitlab", ".gitlab-ci.yml")]
)
def test_init_for_a_team_keeps_the_webhook_in_a_variable(
    forge: str, workflow: str, fresh: Any, sipsync: Sipsync, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _give(monkeypatch, fresh.webhook)
    ran = sipsync("init", "--webhook-stdin", "--ci", forge)
    assert ran.code == 0
    assert _files(home) == {
        "sipsync.yaml", workflow, ".gitignore", ".gitattributes", ".sipsync/schema.json", ".sipsync/.gitignore",
        ".sipsync/webhook",
    }  # fmt: skip
    assert "webhook: env:SIPSYNC_WEBHOOK" in (home / "sipsync.yaml").read_text()
    assert fresh.webhook not in "".join((home / name).read_text() for name in _files(home) - {".sipsync/webhook"})
    step = "export SIPSYNC_WEBHOOK_FILE=.sipsync/webhook "
    assert step in ran.err
    monkeypatch.setenv("SIPSYNC_WEBHOOK_FILE", ".sipsync/webhook")
    assert "No changes." in sipsync("plan", "sipsync.yaml").out
    written = (home / workflow).read_text()
    assert "ACME" not in written
    assert "SALES" not in written
    assert "SIPSYNC_WEBHOOK" in written
    assert "the secret SIPSYNC_WEBHOOK: " in ran.err or "variable SIPSYNC_WEBHOOK: " in ran.err
    assert "git init .  " in ran.err
    assert f"Commit and push all files. The head of {workflow} says" in ran.err


def test_what_init_says_to_type_works_as_it_is_printed(
    fresh: Any, sipsync: Sipsync, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _give(monkeypatch, fresh.webhook)
    ran = sipsync("init", "our lines", "--webhook-stdin", "--ci", "github")
    typed = re.findall(r"^  \d\. (\S.*?) {4,5}\S", ran.err, re.MULTILINE)
    assert [command.split()[0] for command in typed] == ["export", "sipsync", "sipsync", "git"]
    program = f'sipsync() {{ "{sys.executable}" -m sipsync "$@"; }}'
    script = "\n".join([program, *(f"{command} </dev/null" for command in typed), "cd 'our lines'", "git add --all"])
    done = subprocess.run(["bash", "-ec", script], cwd=home, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("No changes.") == 2
    listed = subprocess.run(["git", "ls-files"], cwd=home / "our lines", check=True, capture_output=True, text=True)
    assert set(listed.stdout.split()) == _files(home / "our lines") - {".sipsync/webhook"} - {
        path for path in _files(home / "our lines") if path.startswith(".git/")
    }


def test_the_workflow_names_the_secrets_of_the_file(fresh: Any, sipsync: Sipsync, home: Path) -> None:
    assert sipsync("init", "--webhook-env", "HOOK", "--ci", "github", "--name", "shop").code == 0
    text = (home / ".github/workflows/sipsync.yml").read_text()
    jobs = {job["environment"]: job["steps"] for job in yaml.safe_load(text)["jobs"].values() if "environment" in job}
    assert set(jobs) == {"sip-read", "sip-apply"}
    named = {name for steps in jobs.values() for step in steps for name in step.get("env", {})}
    assert named == {"HOOK"}
    offered = re.findall(r"# (\w+): \$\{\{ secrets\.(\w+) }} # so for each password", text)
    assert set(offered) == {("SIP_SHOP_101_PASSWORD", "SIP_SHOP_101_PASSWORD")}
    assert "password: env:SIP_SHOP_101_PASSWORD" in (home / "sipsync.yaml").read_text()


def test_the_workflow_of_a_portal_without_lines_offers_no_password(fresh: Any, sipsync: Sipsync, home: Path) -> None:
    fresh.seed(lines=[])
    assert sipsync("init", "--webhook-env", "HOOK", "--ci", "github").code == 0
    assert "PASSWORD" not in (home / ".github/workflows/sipsync.yml").read_text()


def test_a_workflow_is_written_to_the_top_of_a_repository_only(fresh: Any, sipsync: Sipsync, home: Path) -> None:
    subprocess.run(["git", "init", "-q", "."], cwd=home, check=True)
    ran = sipsync("init", "lines", "--webhook-env", "HOOK", "--ci", "github")
    assert (ran.code, "lines is not the top of" in ran.err) == (64, True)
    assert not (home / "lines").exists()
    assert sipsync("init", "--webhook-env", "HOOK", "--ci", "github").code == 0


def test_init_extends_what_git_has_and_overwrites_nothing(
    fresh: Any, sipsync: Sipsync, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / ".gitignore").write_text("*.log")
    (home / ".gitattributes").write_text("portals/** text eol=lf\nsipsync.yaml text eol=lf\n")
    (home / ".gitlab-ci.yml").write_text("ours: {}\n")
    _give(monkeypatch, fresh.webhook)
    ran = sipsync("init", "--webhook-stdin", "--ci", "gitlab")
    assert ran.code == 0
    assert (home / ".gitignore").read_text().startswith("*.log\n\n#")
    assert (home / ".gitlab-ci.yml").read_text() == "ours: {}\n"
    assert ".gitlab-ci.yml exists already" in ran.err
    assert ".gitignore: added" in ran.err


def test_init_takes_the_webhook_from_a_variable_and_the_file_does_too(fresh: Any, sipsync: Sipsync, home: Path) -> None:
    assert sipsync("init", "--webhook-env", "HOOK", "--name", "shop").code == 0
    text = (home / "sipsync.yaml").read_text()
    assert "webhook: env:HOOK" in text
    assert "name: shop" in text
    assert ".sipsync/webhook" not in _files(home)


@pytest.mark.parametrize(
    ("webhook", "says"),
    [
        ("", "there is no webhook on standard input"),
        ("hello", "["),
        ("http://acme.bitrix24.ru/rest/1/secret123/", "["),
        ("https://bitrix24.ru.evil.example/rest/1/secret123/", "SIPSYNC_HOSTS"),
    ],
)
def test_a_webhook_that_does_not_pass_the_check_leaves_nothing_behind(
    webhook: str, says: str, home: Path, sipsync: Sipsync, monkeypatch: pytest.MonkeyPatch
) -> None:
    _give(monkeypatch, webhook + "\n")
    ran = sipsync("init", "--webhook-stdin")
    assert ran.code == 1
    assert says in ran.out + ran.err
    assert "secret123" not in ran.out + ran.err
    assert _files(home) == set()


def test_a_webhook_without_the_telephony_scope_leaves_nothing_behind(
    fresh: Any, sipsync: Sipsync, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh.seed(access={"scope": "crm"})
    _give(monkeypatch, fresh.webhook)
    ran = sipsync("init", "--webhook-stdin")
    assert ran.code == 1
    assert "telephony" in ran.out.lower()
    assert _files(home) == set()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "[no-terminal]"),
        (["--webhook-env", "NOT_SET"], "the variable NOT_SET is not set, or empty"),
    ],
)
def test_without_a_webhook_init_says_how_to_give_one(
    arguments: list[str], says: str, home: Path, sipsync: Sipsync
) -> None:
    ran = sipsync("init", *arguments)
    assert (ran.code, says in ran.err) == (1, True)


def test_init_never_overwrites(home: Path, sipsync: Sipsync) -> None:
    (home / "sipsync.yaml").write_text("mine\n")
    ran = sipsync("init", "--webhook-env", "HOOK")
    assert ran.code == 1
    assert "sipsync import" in ran.err
    assert (home / "sipsync.yaml").read_text() == "mine\n"


def test_an_empty_answer_is_no_webhook(home: Path) -> None:
    terminal = Terminal("--lang", "ru", "init")
    terminal.until(": ")
    terminal.until("paste): ")
    assert "отметьте «Телефония (telephony)»" in terminal.shown
    terminal.type("\x04")
    assert terminal.end() == 1
    assert "no webhook was given" in terminal.shown


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://acme.bitrix24.ru/rest/1/x/", "acme"),
        ("https://localhost/rest/1/x/", "portal"),
        ("http://127.0.0.1:8/rest/1/x/", "portal"),
        ("https://[", "portal"),
    ],
)
def test_a_portal_is_named_after_its_host(url: str, name: str) -> None:
    from sipsync.cli.commands.init import Webhook, _name_of

    assert _name_of(url) == name
    assert url not in repr(Webhook(url, "HOOK", "env:HOOK"))


# --- import ---


def test_import_writes_a_new_file_whose_plan_is_empty(fresh: Any, sipsync: Sipsync, home: Path) -> None:
    ran = sipsync("import", "acme.yaml", "--webhook-env", "HOOK")
    assert (ran.code, ran.out) == (0, "acme.yaml: the portal has 2 lines.\n")
    assert "pw" not in (home / "acme.yaml").read_text().split()
    assert "No changes." in sipsync("plan", "acme.yaml").out


def test_import_into_a_file_keeps_comments_and_adds_what_is_missing(acme: Any, sipsync: Sipsync) -> None:
    file = acme.write("lines:\n  shop: {config_id: 101, title: Shop} # ours\n")
    assert sipsync("import", "acme.yaml").code == 0
    text = file.read_text()
    assert "# ours" in text
    assert "title: Shop" in text
    assert "config_id: 102" in text
    assert "1 to change" in sipsync("plan", "acme.yaml").out
    assert sipsync("import", "acme.yaml", "--overwrite", "--portal", "acme").code == 0
    assert "No changes." in sipsync("plan", "acme.yaml").out


def test_import_pins_lines_that_are_found_by_title(acme: Any, sipsync: Sipsync) -> None:
    file = acme.write("lines:\n  shop: {title: Sales}\n")
    assert sipsync("import", "acme.yaml", "--pin").code == 0
    assert "config_id: 101" in file.read_text()


def test_import_keeps_passwords_where_it_is_told_to(
    fresh: Any, sipsync: Sipsync, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = sipsync("import", "acme.yaml", "--webhook-env", "HOOK", "--passwords", "env", "--secrets-out", "acme.env")
    assert ran.code == 0
    assert "set -a; . ./acme.env; set +a" in ran.err
    kept = home / "acme.env"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert "password: env:SIP_ACME_101_PASSWORD" in (home / "acme.yaml").read_text()
    for line in kept.read_text().splitlines()[1:]:
        name, _, value = line.partition("=")
        monkeypatch.setenv(name, value)
    assert "No changes." in sipsync("plan", "acme.yaml").out


def test_passwords_are_linked_into_a_file_that_is_there(
    fresh: Any, sipsync: Sipsync, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sipsync("import", "acme.yaml", "--webhook-env", "HOOK").code == 0
    assert "env:SIP_ACME_101_PASSWORD  # not managed" in (home / "acme.yaml").read_text()
    ran = sipsync("import", "acme.yaml", "--passwords", "env", "--secrets-out", ".env")
    assert (ran.code, "stored in .env, and named in the file" in ran.out) == (0, True)
    assert "not managed" not in (home / "acme.yaml").read_text()
    again = sipsync("import", "acme.yaml", "--passwords", "env", "--secrets-out", ".env")
    assert "No password was stored: each line has a reference already" in again.out
    for line in (home / ".env").read_text().splitlines()[1:]:
        name, _, value = line.partition("=")
        monkeypatch.setenv(name, value)
    assert "No changes." in sipsync("plan", "acme.yaml").out


@pytest.mark.parametrize(("out", "line"), [(".env", "/.env"), ("kept/my [1].txt", r"/work/kept/my\ \[1].txt")])
def test_passwords_that_import_stores_in_a_repository_are_kept_from_git(
    out: str, line: str, fresh: Any, sipsync: Sipsync, home: Path
) -> None:
    top = home.parent if "/" in out else home
    subprocess.run(["git", "init", "-q", top], check=True)
    (home / out).parent.mkdir(exist_ok=True)
    (top / ".gitignore").write_text("*.log")
    arguments = ("--passwords", "env", "--secrets-out", out)
    ran = sipsync("import", "acme.yaml", "--webhook-env", "HOOK", *arguments)
    assert (ran.code, f"git ignores {(home / out).relative_to(top)} from now on" in ran.err) == (0, True), ran
    assert (top / ".gitignore").read_text() == f"*.log\n\n{line}\n"
    subprocess.run(["git", "-C", top, "check-ignore", "-q", home / out], check=True)
    assert sipsync("import", "acme.yaml", "--overwrite", *arguments).code == 0
    again = sipsync("import", "other.yaml", "--webhook-env", "HOOK", *arguments)
    assert (again.code, "from now on" in again.err) == (0, False)
    assert (top / ".gitignore").read_text() == f"*.log\n\n{line}\n"


def test_passwords_are_kept_from_git_where_no_git_is_installed(
    fresh: Any, sipsync: Sipsync, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run(["git", "init", "-q", home], check=True)
    monkeypatch.setenv("PATH", str(home))
    ran = sipsync("import", "acme.yaml", "--webhook-env", "HOOK", "--passwords", "env", "--secrets-out", ".env")
    assert (ran.code, (home / ".gitignore").read_text()) == (0, "/.env\n"), ran


def test_an_import_says_what_it_added_what_differs_and_what_is_gone(acme: Any, sipsync: Sipsync) -> None:
    acme.write("lines:\n  shop: {config_id: 101, title: Shop}\n  old: {config_id: 999, title: Old}\n")
    ran = sipsync("import", "acme.yaml")
    assert "values): shop (title).\nNot on the portal: old.\n" in ran.out
    assert "Added: line-" in ran.out


def test_an_import_calls_new_lines_after_their_titles(acme: Any, sipsync: Sipsync) -> None:
    acme.seed(
        {"config_id": 101, "title": "Sales", "login": "a"},
        {"config_id": 102, "title": "Отдел продаж", "login": "b"},
        {"config_id": 103, "title": "отдел  Продаж!", "login": "c"},
        {"config_id": 104, "title": "☎", "login": "d"},
    )
    file = acme.write("lines:\n  otdel-prodazh: {config_id: 101, title: Sales} # ours\n")
    ran = sipsync("import", "acme.yaml", "--keys", "title")
    assert (ran.code, "Added: line-104, otdel-prodazh-2, otdel-prodazh-3.\n" in ran.out) == (0, True), ran
    assert "# ours" in file.read_text()
    assert "No changes." in sipsync("plan", "acme.yaml").out
    assert sipsync("import", "new.yaml", "--webhook-env", "HOOK", "--keys", "title").code == 0
    assert {"  sales:", "  otdel-prodazh:", "  line-104:"} <= set(Path("new.yaml").read_text().splitlines())


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        (("--line", "line-102"), {"101", "102"}),
        (("--line", "acme.line-10[23]", "--exclude", "line-103"), {"101", "102"}),
        (("--exclude", "acme.line-103"), {"101", "102"}),
        (("--line", "shop"), {"101"}),
        (("--keys", "title", "--line", "sklad"), {"101", "102"}),
    ],
)
def test_an_import_takes_the_lines_that_are_chosen(
    options: tuple[str, ...], ids: set[str], acme: Any, sipsync: Sipsync
) -> None:
    acme.seed(
        {"config_id": 101, "title": "Sales", "login": "a"},
        {"config_id": 102, "title": "Склад", "login": "b"},
        {"config_id": 103, "title": "Fax", "login": "c"},
    )
    acme.write("lines:\n  shop: {config_id: 101, title: Shop}\n  old: {config_id: 9, title: Old}\n")
    ran = sipsync("import", "acme.yaml", "--passwords", "env", "--secrets-out", ".env", *options)
    assert ran.code == 0, ran
    found = set(re.findall(r"config_id: (\d+)", Path("acme.yaml").read_text())) - {"9"}
    assert found == ids
    linked = set(re.findall(r"SIP_ACME_(\d+)_PASSWORD", Path(".env").read_text()))
    assert linked == (ids if "--line" not in options or "shop" in options else ids - {"101"})
    assert ("old" in ran.out) == ("--line" not in options)
    new = sipsync("import", "new.yaml", "--webhook-env", "HOOK", "--exclude", "line-101")
    assert (new.code, "config_id: 101" in Path("new.yaml").read_text()) == (0, False)


def test_an_import_of_no_line_into_a_new_file_is_a_file_without_lines(fresh: Any, sipsync: Sipsync, home: Path) -> None:
    assert sipsync("import", "new.yaml", "--webhook-env", "HOOK", "--exclude", "new.line-*").code == 0
    assert (home / "new.yaml").read_text().endswith("lines: {}\n")
    assert sipsync("validate", "new.yaml").code == 0


@pytest.mark.parametrize("option", ["--line", "--exclude", "--portal"])
@pytest.mark.parametrize("file", [["acme.yaml"], ["new.yaml", "--webhook-env", "HOOK"]])
def test_an_import_of_nothing_that_is_there_is_wrong_usage_and_writes_nothing(
    option: str, file: list[str], acme: Any, sipsync: Sipsync
) -> None:
    before = acme.write("lines:\n  shop: {config_id: 101, title: Shop}\n").read_text()
    ran = sipsync("import", *file, "--passwords", "env", "--secrets-out", ".env", option, "nobody")
    assert (ran.code, f'{option} "nobody" matches nothing' in ran.err) == (64, True)
    assert Path("acme.yaml").read_text() == before
    assert not Path(".env").exists()
    assert not Path("new.yaml").exists()


def test_a_portal_that_cannot_be_read_keeps_no_other_from_being_imported(acme: Any, sipsync: Sipsync) -> None:
    file = acme.write("lines:\n  shop: {config_id: 101, title: Shop}\n")
    file.write_text(f"{file.read_text()}---\nsipsync: 1\nportal: {{name: gone, webhook: 'env:GONE'}}\nlines: {{}}\n")
    ran = sipsync("import", "acme.yaml")
    assert (ran.code, "[secret-unset]" in ran.err, "config_id: 102" in file.read_text()) == (1, True, True)
    assert sipsync("import", "acme.yaml", "--exclude", "gone").code == 0
    assert sipsync("import", "acme.yaml", "--portal", "gone").code == 1


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["new.yaml"], 1, "--webhook-env NAME"),
        (["new.yaml", "--webhook-env", "HOOK", "--passwords", "sops"], 64, "--secrets-out"),
        (["acme.yaml", "--webhook-env", "HOOK"], 64, "names its portal"),
        (["acme.yaml", "--portal", "shop"], 64, '--portal "shop" matches nothing'),
        (["nowhere/new.yaml", "--webhook-env", "NOT_SET"], 1, "NOT_SET"),
    ],
)
def test_an_import_that_cannot_be_says_why(
    arguments: list[str], code: int, says: str, acme: Any, sipsync: Sipsync
) -> None:
    acme.write("lines:\n  shop: {title: Sales}\n")
    ran = sipsync("import", *arguments)
    assert (ran.code, says in ran.err) == (code, True)


def test_a_place_that_cannot_be_written_is_told(fresh: Any, sipsync: Sipsync, home: Path) -> None:
    (home / "file").write_text("")
    ran = sipsync("import", "file/acme.yaml", "--webhook-env", "HOOK")
    assert (ran.code, "[unwritable]" in ran.err) == (1, True)


def test_a_mistyped_webhook_is_asked_again_and_a_method_at_its_end_is_cut_off(fresh: Any, home: Path) -> None:
    terminal = Terminal("init")
    terminal.until("Webhook (not shown while you paste): ")
    terminal.type("https://acme.bitrix24.ru/rest/1/\n")
    terminal.until("Once more")
    terminal.shown = terminal.shown.partition("Once more")[2]
    terminal.until("Webhook (not shown while you paste): ")
    terminal.type(fresh.webhook + "profile.json\n")
    assert terminal.end() == 0
    assert (home / ".sipsync" / "webhook").read_text() == fresh.webhook + "\n"


def test_the_schema_is_committed_and_renewed(fresh: Any, sipsync: Sipsync, home: Path) -> None:
    subprocess.run(["git", "init", "-q", "."], cwd=home, check=True)
    assert sipsync("import", "portals/acme.yaml", "--webhook-env", "HOOK").code == 0
    line = (home / "portals/acme.yaml").read_text().splitlines()[0]
    assert line == "# yaml-language-server: $schema=../.sipsync/schema.json"
    subprocess.run(["git", "add", "-A"], cwd=home, check=True)
    listed = subprocess.run(["git", "ls-files"], cwd=home, check=True, capture_output=True, text=True).stdout.split()
    assert set(listed) >= {".sipsync/.gitignore", ".sipsync/schema.json", "portals/acme.yaml"}
    schema = home / ".sipsync/schema.json"
    whole = schema.read_text()
    schema.write_text("{}")
    ran = sipsync("fmt", "--check")
    assert (ran.code, "sipsync schema --write" in ran.err) == (3, True)
    assert sipsync("fmt").code == 0
    assert schema.read_text() == whole
    schema.write_text("{}")
    assert sipsync("schema", "--write").code == 0
    assert schema.read_text() == whole == sipsync("schema").out
    assert sipsync("schema", "--write", "--plan").code == 64
    schema.parent.chmod(0o775)  # as git makes it where the mask lets a group write
    assert sipsync("schema", "--write").code == 0
    schema.unlink()
    schema.mkdir()
    assert "internal error" not in sipsync("fmt").err
