"""Completion: the scripts are in step with the tree, and real shells complete with them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from programs import needed
from ricordi.cli.completion.scripts import FILES, generate, write_scripts
from ricordi.cli.tree import leaves

SCRIPTS = Path(__file__).parents[3] / 'completions'


@pytest.fixture
def path_with_ricordi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH on which `ricordi` is this program and writes down that it was started."""
    folder = tmp_path / 'bin'
    folder.mkdir()
    log = tmp_path / 'started'
    program = folder / 'ricordi'
    program.write_text(f'#!/bin/sh\necho "$@" >> {log}\nexec {sys.executable} -m ricordi "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv('PATH', f'{folder}{os.pathsep}{os.environ["PATH"]}')
    return log


@pytest.mark.parametrize('shell', FILES)
def test_the_scripts_in_the_source_are_those_that_the_tree_makes(shell: str) -> None:
    written = (SCRIPTS / FILES[shell]).read_text(encoding='utf-8')
    assert written == generate(shell), 'run: python -m ricordi.cli.completion.scripts --write completions'


def test_all_scripts_are_written_at_once(tmp_path: Path) -> None:
    write_scripts(tmp_path / 'new')
    assert sorted(path.name for path in (tmp_path / 'new').iterdir()) == sorted(FILES.values())


@pytest.mark.parametrize('shell', FILES)
def test_the_program_prints_the_script(run_cli, shell: str) -> None:
    done = run_cli('completion', shell)
    assert (done.returncode, done.stderr) == (0, '')
    assert done.stdout == (SCRIPTS / FILES[shell]).read_text(encoding='utf-8')


def test_an_unknown_shell_is_wrong_usage(run_cli) -> None:
    done = run_cli('completion', 'tcsh')
    assert (done.returncode, done.stdout) == (2, '')
    assert "'bash', 'zsh', 'fish'" in done.stderr


def complete_in_bash(line: str) -> list[str]:
    """What bash offers for a line with the cursor at its end."""
    program = r"""
        source "$1"; line=$2
        COMP_WORDS=(); word=''
        for ((i = 0; i < ${#line}; i++)); do
            letter=${line:i:1}
            case $letter in
                ' ') [[ -n $word ]] && COMP_WORDS+=("$word"); word='' ;;
                =) [[ -n $word ]] && COMP_WORDS+=("$word"); COMP_WORDS+=(=); word='' ;;
                *) word+=$letter ;;
            esac
        done
        [[ -n $word || ${line: -1} == ' ' ]] && COMP_WORDS+=("$word")
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_LINE=$line COMP_POINT=${#line}
        compopt() { :; }
        _ricordi; printf '%s\n' "${COMPREPLY[@]}"
    """
    command = [needed('bash'), '--norc', '-c', program, 'bash', str(SCRIPTS / 'ricordi.bash'), line]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ''
    return [word for word in done.stdout.splitlines() if word]


def complete_in_fish(line: str) -> list[str]:
    """What fish offers for a line with the cursor at its end."""
    program = f'source {SCRIPTS / "ricordi.fish"}; complete -C $argv[1]'
    command = [needed('fish'), '--no-config', '-c', program, line]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ''
    return [row.split('\t')[0] for row in done.stdout.splitlines()]


COMPLETERS = {'bash': complete_in_bash, 'fish': complete_in_fish}
CASES = [
    ('ricordi stor', {'storage'}),
    ('ricordi storage ma', {'maintain'}),
    ('ricordi -p main storage ma', {'maintain'}),
    ('ricordi --debug storage ma', {'maintain'}),
    ('ricordi storage maintain --max-', {'--max-waste', '--max-runtime'}),
    ('ricordi storage maintain --repack ', {'auto', 'all', 'none'}),
    ('ricordi storage maintain --repack a', {'auto', 'all'}),
    ('ricordi storage maintain --compress --ful', {'--full'}),
    ('ricordi storage maintain --wait ', set()),
    ('ricordi storage maintain --wait 10m --dry', {'--dry-run'}),
    ('ricordi completion ', {'bash', 'zsh', 'fish'}),
    ('ricordi --vers', {'--version'}),
    ('ricordi process list -P pk exit_s', {'exit_status'}),
]


@pytest.mark.parametrize('shell', COMPLETERS)
@pytest.mark.parametrize(('line', 'offered'), CASES, ids=[line for line, _ in CASES])
def test_verbs_options_and_choices_complete_without_starting_the_program(
    shell: str, line: str, offered: set[str], path_with_ricordi: Path
) -> None:
    assert set(COMPLETERS[shell](line)) == offered
    assert not path_with_ricordi.exists()


@pytest.mark.parametrize('shell', COMPLETERS)
@pytest.mark.parametrize('line', ['ricordi -p mi', 'ricordi profile show mi', 'ricordi storage info --profile mi'])
def test_profile_names_are_asked_of_the_program(
    shell: str, line: str, path_with_ricordi: Path, reference_home: Path
) -> None:
    assert COMPLETERS[shell](line) == ['mixed']
    assert path_with_ricordi.read_text().startswith('_names profile')


@pytest.mark.parametrize('shell', COMPLETERS)
def test_fields_keys_and_types_are_asked_of_the_program_however_many_were_given(
    shell: str, path_with_ricordi: Path, reference_home: Path
) -> None:
    complete = COMPLETERS[shell]
    assert complete('ricordi node list -P pk node_t') == ['node_type']
    assert complete('ricordi -p mixed node list -P pk uuid attributes.exit_s') == ['attributes.exit_status']
    assert complete('ricordi -p mixed node attributes 42 -k exit_s') == ['exit_status']
    assert complete('ricordi -p mixed node list --where attributes.exit_s') == ['attributes.exit_status']
    assert complete('ricordi -p mixed storage index add attributes.exit_s') == ['attributes.exit_status']


@pytest.mark.parametrize(
    ('kind', 'start', 'offered'),
    [
        ('field', 'pro', 'process_type'),
        ('field', 'attributes.process_l', 'attributes.process_label'),
        ('field', 'label.', ''),
        ('attribute', 'cel', 'cell'),
        ('extra', '_aiida_h', '_aiida_hash'),
        ('type', 'core.array.k', 'core.array.kpoints'),
        ('type', 'CalcJ', 'CalcJobNode'),
        ('process-label', 'add_m', 'add_multiply'),
        ('process-label', 'zz', ''),
        ('filter', 'attributes.exit_s', 'attributes.exit_status'),
        ('filter', "label == 'a b' and not (extras._aiida_h", "label == 'a b' and not (extras._aiida_hash"),
        ('filter', 'pk != 3 a', 'pk != 3 and'),
        ('filter', 'ctime > 2025-01-31 or pk in [1, 2] o', 'ctime > 2025-01-31 or pk in [1, 2] or'),
        ('filter', 'label not li', 'label not like'),
        ('filter', 'label not =', ''),
        ('filter', 'label == ', ''),
        ('filter', "label == 'a", ''),
        ('json-field', 'attributes.exit_s', 'attributes.exit_status'),
        ('json-field', 'extras._aiida_h', 'extras._aiida_hash'),
    ],
)
def test_what_the_program_offers(kind: str, start: str, offered: str, run_here, reference_home: Path) -> None:
    assert run_here('_names', kind, start, 'mixed').stdout.strip() == offered


@pytest.mark.parametrize('shell', COMPLETERS)
@pytest.mark.parametrize(
    'line', ['-p mixed user set-default b', 'user set-default -p mixed b', '--profile=mixed user set-default b']
)
def test_users_are_those_of_the_profile_on_the_line(
    shell: str, line: str, path_with_ricordi: Path, reference_home: Path, run_cli
) -> None:
    assert run_cli('-p', 'mixed', 'user', 'configure', '--email', 'beate@b.c', '-n').returncode == 0
    assert sorted(COMPLETERS[shell](f'ricordi {line}')) == ['beate@b.c', 'bob@example.org']


@pytest.mark.parametrize(
    ('line', 'offered'),
    [
        ('group show auto', ['auto 1']),
        ('group show ü', ['ünï 100% _under']),
        ('group show tree/branch/l', ['tree/branch/leaf']),
        ('group list -u bob@ex', ['bob@example.org']),
        ('node list --group=emp', ['--group=empty']),
        ('storage maintain --repack=n', ['--repack=none']),
        ('--profile=mi', ['--profile=mixed']),
        ('computer show clu', ['cluster']),
    ],
)
def test_names_with_signs_complete_in_fish(
    line: str, offered: list[str], path_with_ricordi: Path, reference_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('LC_ALL', 'C.UTF-8')
    assert complete_in_fish(f'ricordi {line}') == offered


@pytest.mark.parametrize('shell', COMPLETERS)
def test_without_a_configuration_there_are_no_names_and_no_noise(
    shell: str, path_with_ricordi: Path, empty_home: Path
) -> None:
    assert COMPLETERS[shell]('ricordi -p ') == []


READY = 'ready>'
INTERACTIVE = {
    'bash': (
        ['bash', '--norc', '--noprofile', '-i'],
        f"bind 'set bell-style none'; source {SCRIPTS / 'ricordi.bash'}; PS1='rea''dy>'\n",
    ),
    'zsh': (
        ['zsh', '-f', '-i'],
        "PS1='rea''dy>'; autoload -Uz compinit; compinit -u -C -d $ZSH_FUNCTIONS; "
        f'source {SCRIPTS / "_ricordi"}; unsetopt beep\n',
    ),
}
"""Shells that are driven at a terminal: how they are started, and what makes them ready."""


@pytest.mark.parametrize('shell', INTERACTIVE)
@pytest.mark.parametrize(
    ('typed', 'becomes'),
    [
        ('stor', 'storage'),
        ('storage maint', 'storage maintain'),
        ('-p x storage maint', '-p x storage maintain'),
        ('storage maintain --dry', 'storage maintain --dry-run'),
        ('storage maintain --repack non', 'storage maintain --repack none'),
        ('profile show mix', 'profile show mixed'),
        ('--profile=mi', '--profile=mixed'),
        ('completion fi', 'completion fish'),
        ('node extras un', 'node extras unset'),
        ('user set-default bo', 'user set-default bob@example.org'),
        ('user set-default bob@ex', 'user set-default bob@example.org'),
        ('user set-default bob@', 'user set-default bob@example.org'),
        ('-p mixed user set-default bob@ex', '-p mixed user set-default bob@example.org'),
        ('group list -u bob@ex', 'group list -u bob@example.org'),
        ('group show tree/branch/l', 'group show tree/branch/leaf'),
        ('group show ü', 'group show ünï\\ 100%\\ _under'),
        ('group show auto', 'group show auto\\ 1'),
        ('group show auto\\ ', 'group show auto\\ 1'),
        ('group show "aut', 'group show "auto 1"'),
        ('node list -G emp', 'node list -G empty'),
        ('node list --group=emp', 'node list --group=empty'),
        ('computer show clu', 'computer show cluster'),
    ],
)
def test_a_shell_at_a_terminal_completes_the_line(
    run_in_terminal,
    monkeypatch: pytest.MonkeyPatch,
    shell: str,
    typed: str,
    becomes: str,
    path_with_ricordi: Path,
    reference_home: Path,
) -> None:
    (_, *options), setup = INTERACTIVE[shell]
    monkeypatch.setenv('LC_ALL', 'C.UTF-8')
    # Ctrl-A and what is typed there turn the completed line into something that prints it.
    show = "\x01printf '%s\\n' '\x05'; exit\n"
    run = run_in_terminal(
        program=[needed(shell), *options],
        answers={'% ': setup, '# ': setup, '$ ': setup, READY: f'ricordi {typed}\t{show}'},
    )
    assert f'ricordi {becomes}' in [line.rstrip() for line in run.screen.splitlines()]


def test_every_verb_is_in_every_script() -> None:
    for name in FILES.values():
        text = (SCRIPTS / name).read_text(encoding='utf-8')
        for path, _, _ in leaves():
            assert ' '.join(path) in text


def test_the_check_fails_when_a_script_is_missing_or_out_of_step(tmp_path: Path) -> None:
    def check() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, '-m', 'ricordi.cli.completion.scripts', '--check', str(tmp_path)]
        return subprocess.run(command, capture_output=True, text=True)

    write_scripts(tmp_path)
    assert check().returncode == 0
    (tmp_path / 'ricordi.bash').write_text('# older')
    (tmp_path / '_ricordi').unlink()
    done = check()
    assert done.returncode == 1
    assert 'ricordi.bash is out of step' in done.stderr
    assert '_ricordi is out of step' in done.stderr
