"""`ricordi completion`: prints the static scripts by which the shells complete verbs and options without Python.

`python -m ricordi.cli.completion.scripts --write FOLDER` makes them anew from the tree; `--check FOLDER` fails if they
differ.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ricordi.cli.generated import write_files, write_or_check
from ricordi.cli.session import CommandSession
from ricordi.cli.verb import verb

FILES = {'bash': 'ricordi.bash', 'zsh': '_ricordi', 'fish': 'ricordi.fish'}

_PLACES = (Path(__file__).parent / 'completions', Path(__file__).parents[3] / 'completions')
"""Where the scripts are: in an installed package beside this module, in a source tree at its top."""


@verb(
    'source <(ricordi completion bash)',
    'mkdir -p ~/.config/fish/completions && ricordi completion fish > ~/.config/fish/completions/ricordi.fish',
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
    write_files(folder, _scripts())


def _scripts() -> dict[str, str]:
    """Name and text of each script."""
    return {name: generate(shell) for shell, name in FILES.items()}


if __name__ == '__main__':
    sys.exit(write_or_check('ricordi.cli.completion.scripts', _scripts(), sys.argv[1:]))
