"""`sipsync completion`: the script that teaches a shell sipsync's commands, options, portals and lines."""

from __future__ import annotations

import click

from sipsync.cli.group import make_command
from sipsync.cli.session import Session, write
from sipsync.model.problems import Exit

SHELLS = ("bash", "zsh", "fish", "powershell")
_INSTALL = {
    "bash": 'Put into ~/.bashrc:  eval "$(sipsync completion bash)"',
    "zsh": 'Put into ~/.zshrc:  eval "$(sipsync completion zsh)"',
    "fish": "sipsync completion fish > ~/.config/fish/completions/sipsync.fish",
    "powershell": "Put into $PROFILE:  sipsync completion powershell | Out-String | Invoke-Expression",
}

_OLD_BASH = """if (( BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] < 404 )); then
    echo "sipsync: completion needs bash 4.4, and this is $BASH_VERSION. On a Mac: brew install bash, or use zsh." >&2
else
"""
"""The script's options of `complete` are errors in an older bash, which is what macOS has."""


@make_command(
    "completion",
    "Print the script that lets a shell complete commands, options, portals and lines.",
    *_INSTALL.values(),
)
@click.argument("shell", type=click.Choice(SHELLS), help="The shell.")
def command(_session: Session, shell: str) -> Exit:
    from click.shell_completion import ShellComplete, get_completion_class

    from sipsync.cli.main import cli

    script = get_completion_class(shell)
    assert script is not None, "click knows the shells in SHELLS"  # noqa: S101  # a broken invariant, not input
    # That of click's class for bash would look which bash stands first on the PATH.
    source = ShellComplete.source(script(cli, {}, "sipsync", "_SIPSYNC_COMPLETE"))
    write(f"# {_INSTALL[shell]}\n{_OLD_BASH + source + 'fi' if shell == 'bash' else source}\n")
    return Exit.OK
