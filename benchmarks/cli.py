"""Verbs of the command line against verdi's, on the same profile, whole processes.

    python benchmarks/cli.py HOME [--peer PYTHON] [--runs 5] [--only TEXT] [--table cli]
    python benchmarks/cli.py HOME --reading --table cli-reading

HOME is what make_profile.py made. Nothing in it is changed.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

import paired
from paired import Action, Row, Run

CALCULATION, STRUCTURE, FOLDER, WORKFLOW, PARAMETERS, CODE = '7', '5', '8', '4', '6', '1'
"""Pks of the first workflow that make_profile.py makes."""


@dataclass(frozen=True, slots=True)
class Verb:
    """A line of the table.

    :param ours: arguments where they differ from the peer's.
    """

    arguments: tuple[str, ...]
    bar: float
    ours: tuple[str, ...] = ()


VERBS = (
    Verb(('profile', 'list'), 6),
    Verb(('node', 'show', CALCULATION), 6),
    Verb(('node', 'attributes', CALCULATION), 6),
    Verb(('node', 'repo', 'cat', STRUCTURE, 'structure.cif'), 6),
    Verb(('node', 'repo', 'ls', FOLDER), 6),
    Verb(('user', 'list'), 6),
    Verb(('computer', 'list'), 6),
    Verb(('group', 'list', '-C'), 6),
    Verb(('group', 'show', 'group-000'), 7),
    Verb(('node', 'list', '--raw'), 4),
    Verb(('node', 'graph', 'generate', WORKFLOW, '-f', 'svg', '-O', os.devnull), 5),
)
READING = (
    Verb(('process', 'list'), 8),
    Verb(('process', 'list', '--all', '--raw'), 8),
    Verb(('process', 'list', '--failed', '--limit', '20'), 8),
    Verb(('process', 'show', CALCULATION), 8),
    Verb(('process', 'report', WORKFLOW), 8),
    Verb(('process', 'status', WORKFLOW), 8),
    Verb(('process', 'call-root', CALCULATION), 8),
    Verb(('calcjob', 'inputls', CALCULATION), 8),
    Verb(('calcjob', 'outputls', CALCULATION), 8),
    Verb(('code', 'list'), 8),
    Verb(('code', 'show', CODE), 8),
    Verb(('config', 'get', 'daemon.timeout'), 8),
    Verb(('data', 'core.dict', 'show', PARAMETERS), 8),
    Verb(('data', 'core.singlefile', 'content', STRUCTURE), 8),
    Verb(('data', 'core.structure', 'list', '--all-users'), 8),
)
"""Reading processes, their files and results, codes, options, data."""
COMPLETIONS = (('completing a verb', 'storage ma', 6.0), ('completing a group label', 'group show group-00', 6.0))


class Bench:
    """The two programs on one profile."""

    def __init__(self, home: Path, programs: dict[str, Path], side: str, runs: int) -> None:
        self.home = home
        self.programs = programs
        self.side = side
        self.runs = runs
        paired.WORK.mkdir(exist_ok=True)

    def pair(self, work: str, bar: float, actions: dict[str, Action]) -> Row:
        """Measure both sides, or the one that was asked for."""
        ours, peer = (actions[side] if self.side in (side, 'both') else None for side in ('ours', 'peer'))
        return paired.pair(work, ours, peer, bar=bar, runs=self.runs)

    def verb(self, verb: Verb) -> Row:
        """Measure a verb."""
        arguments = {'ours': verb.ours or verb.arguments, 'peer': verb.arguments}
        actions = {side: self.run(side, arguments[side]) for side in ('ours', 'peer')}
        return self.pair(f'`{" ".join(verb.arguments)}`', verb.bar, actions)

    def run(self, side: str, arguments: tuple[str, ...]) -> Action:
        """A run of one program."""
        command = (self.programs[side], *arguments)
        return lambda: paired.run(command, {'AIIDA_PATH': str(self.home)}, folder=paired.WORK)

    def completion(self, work: str, line: str, bar: float) -> Row:
        """Measure what a press of the tabulator key costs in bash."""
        return self.pair(work, bar, {side: self.press(side, line) for side in ('ours', 'peer')})

    def press(self, side: str, line: str) -> Action:
        """A completion in bash, with the completion script loaded before the clock starts."""
        program = self.programs[side]
        environment = {'AIIDA_PATH': str(self.home), 'PATH': f'{program.parent}{os.pathsep}{os.environ["PATH"]}'}
        if side == 'ours':
            load = f'source {paired.HERE.parent / "completions" / "ricordi.bash"}'
        else:
            load = 'eval "$(_VERDI_COMPLETE=bash_source verdi)"'
        words = f'{program.name} {line}'.split()
        script = (
            f'{load}; call=$(complete -p {program.name} | sed -E "s/.*-F ([^ ]+).*/\\1/"); '
            f'COMP_WORDS=({" ".join(words)}); COMP_CWORD={len(words) - 1}; COMP_LINE="{" ".join(words)}"; '
            'COMP_POINT=${#COMP_LINE}; start=${EPOCHREALTIME/./}; '
            f'$call {program.name} {words[-1]} {words[-2]}; '
            'stop=${EPOCHREALTIME/./}; echo "${#COMPREPLY[@]} $((stop - start))"'
        )

        def action() -> Run:
            run = paired.run(('bash', '-c', script), environment)
            replies, microseconds = run.output.split()[-2:]
            if not int(replies):
                raise RuntimeError(f'{program.name} completes nothing after "{line}"')
            return replace(run, seconds=int(microseconds) / 1e6)

        return action


def main() -> None:
    """Measure what the command line asks for."""
    parser = paired.arguments(__doc__)
    parser.add_argument('home', type=Path)
    parser.add_argument('--reading', action='store_true', help='those verbs that read processes, codes, data')
    parser.add_argument('--table', default='cli', help='name under which the results are kept')
    args = parser.parse_args()
    programs = {'ours': args.ours.absolute().parent / 'ricordi', 'peer': args.peer.absolute().parent / 'verdi'}
    bench = Bench(args.home.resolve(), programs, args.side, args.runs)
    verbs = READING if args.reading else VERBS
    rows = [bench.verb(verb) for verb in verbs if args.only in ' '.join(verb.arguments)]
    if not args.reading:
        rows += [bench.completion(*completion) for completion in COMPLETIONS if args.only in completion[0]]
    paired.save(args.table, rows)


if __name__ == '__main__':
    main()
