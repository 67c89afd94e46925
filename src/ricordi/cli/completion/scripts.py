"""`ricordi completion`: prints the static scripts by which the shells complete verbs and options without Python.

`python -m ricordi.cli.completion.scripts --write FOLDER` makes them anew from the tree; `--check FOLDER` fails if they
differ.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ricordi.cli.session import CommandSession
from ricordi.cli.verb import verb

FILES = {'bash': 'ricordi.bash', 'zsh': '_ricordi', 'fish': 'ricordi.fish'}

_PLACES = (Path(__file__).parent / 'completions', Path(__file__).parents[3] / 'completions')
"""Where the scripts are: in an installed package beside this module, in a source tree at its top."""


@verb(
    'source <(ricordi completion bash)',
    'ricordi completion fish > ~/.config/fish/completions/ricordi.fish',
    on_profile=False,
)
@click.argument('shell', type=click.Choice(list(FILES)))
def completion(session: CommandSession, shell: str) -> int:
    """Print the completion script for a shell.

    Verbs and options then complete without starting Python; names of profiles are asked of the program.
    """
    for place in _PLACES:
        script = place / FILES[shell]
        if script.is_file():
            sys.stdout.write(script.read_text(encoding='utf-8'))
            return 0
    sys.stdout.write(generate(shell))
    return 0


def generate(shell: str) -> str:
    """The script for a shell, made anew from the tree."""
    from ricordi.cli.completion.bash import bash_script
    from ricordi.cli.completion.fish import fish_script
    from ricordi.cli.completion.model import branches, verbs
    from ricordi.cli.completion.zsh import zsh_script

    make = {'bash': bash_script, 'zsh': zsh_script, 'fish': fish_script}[shell]
    return make(verbs(), branches())


def write_scripts(folder: Path) -> None:
    """Write the scripts of all shells into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for shell, name in FILES.items():
        (folder / name).write_text(generate(shell), encoding='utf-8')


def stale_scripts(folder: Path) -> list[Path]:
    """The scripts of a folder that are missing, or are not what the tree makes."""

    def differs(path: Path, shell: str) -> bool:
        return not path.is_file() or path.read_text(encoding='utf-8') != generate(shell)

    return [folder / name for shell, name in FILES.items() if differs(folder / name, shell)]


def _maintain_scripts(arguments: list[str]) -> int:
    """What `python -m ricordi.cli.completion.scripts` does; returns the exit code."""
    if len(arguments) != 2 or arguments[0] not in ('--write', '--check'):
        print('usage: python -m ricordi.cli.completion.scripts --write FOLDER | --check FOLDER', file=sys.stderr)
        return 2
    folder = Path(arguments[1])
    if arguments[0] == '--write':
        write_scripts(folder)
        return 0
    stale = stale_scripts(folder)
    for path in stale:
        print(f'{path} is out of step: run python -m ricordi.cli.completion.scripts --write {folder}', file=sys.stderr)
    return 1 if stale else 0


if __name__ == '__main__':
    sys.exit(_maintain_scripts(sys.argv[1:]))
