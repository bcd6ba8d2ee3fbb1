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


@make_command(
    "completion",
    "Print the script that lets a shell complete commands, options, portals and lines.",
    *_INSTALL.values(),
)
@click.argument("shell", type=click.Choice(SHELLS), help="The shell.")
def command(_session: Session, shell: str) -> Exit:
    from click.shell_completion import get_completion_class

    from sipsync.cli.main import cli

    script = get_completion_class(shell)
    assert script is not None, "click knows the shells in SHELLS"  # noqa: S101  # a broken invariant, not input
    write(f"# {_INSTALL[shell]}\n{script(cli, {}, 'sipsync', '_SIPSYNC_COMPLETE').source()}\n")
    return Exit.OK
