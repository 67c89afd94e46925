"""What the layers may do, beyond what they may import: only `cli` talks, and only `config` asks the environment."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from ricordi.cli.tree import leaves

SOURCE = Path(__file__).parents[1] / 'src' / 'ricordi'
MODULES = sorted(SOURCE.rglob('*.py'))

TALKING = {'print', 'input', 'breakpoint', 'exit', 'quit'}
STREAMS = {'sys.stdout', 'sys.stderr', 'sys.stdin', 'sys.exit', 'sys.argv', 'os._exit', 'getpass.getpass'}
ENVIRONMENT = {'os.environ', 'os.environb', 'os.getenv', 'os.getenvb', 'os.putenv', 'os.path.expandvars', 'Path.home'}

WORKERS = {
    'repository/archive/verification.py',
    'repository/archive/workers.py',
    'repository/maintenance/file_removal.py',
    'repository/maintenance/pack_check.py',
    'repository/verification/reader.py',
    'services/backups/rows_beside.py',
}
"""Run as processes of their own, which answer through a pipe; only what is called there may write to it."""
ANSWERING = 'answering.py'
"""What such processes answer by."""
SETS_THE_ENVIRONMENT = {'cli/tour/tour.py', 'cli/terminal/screen.py'}
"""The tour has the whole process look elsewhere for its configuration, so that the user's own is not touched; what a
terminal is like (`COLUMNS`, `NO_COLOR`, `TERM`) and which zone is local (`TZ`) stands nowhere else."""
SQLITE = ('storage/', 'repository/container/index.py', 'repository/container/index_connection.py')
SQLITE += ('repository/bucket/cache.py', 'repository/bucket/listed/catalogue_file.py')
"""Where `sqlite3` may be imported."""


def named(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


@cache
def uses(path: Path) -> tuple[tuple[int, str], ...]:
    """Line and dotted name of everything that a module names or imports, whatever the import was called there."""
    return tuple(_uses(path))


def _uses(path: Path) -> Iterator[tuple[int, str]]:
    tree = ast.parse(path.read_text(encoding='utf-8'))
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.split('.')[0]
                known[alias.asname or first] = alias.name if alias.asname else first
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                known[alias.asname or alias.name] = f'{node.module}.{alias.name}'
                yield node.lineno, f'{node.module}.{alias.name}'
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.lineno, known.get(node.id, node.id)
        elif isinstance(node, ast.Attribute) and (name := dotted(node)):
            first, _, rest = name.partition('.')
            yield node.lineno, f'{known.get(first, first)}.{rest}'.removeprefix('pathlib.')


def dotted(node: ast.expr) -> str:
    """`os.environ` of the tree of `os.environ`; nothing for what is not made of names."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (before := dotted(node.value)):
        return f'{before}.{node.attr}'
    return ''


def where(path: Path, forbidden: set[str]) -> list[str]:
    """The places where a module names one of these."""
    return [f'{named(path)}:{line} {name}' for line, name in uses(path) if name in forbidden]


def test_nothing_below_the_command_line_talks_to_a_person() -> None:
    below = [path for path in MODULES if not named(path).startswith('cli/') and named(path) != '__main__.py']
    found = [place for path in below for place in where(path, TALKING | STREAMS)]
    assert [place for place in found if not is_answer(place)] == []


def is_answer(place: str) -> bool:
    """Whether a place belongs to what only a worker runs: its `main`, or what is under `if __name__ == '__main__'`."""
    name, _, line = place.partition(' ')[0].partition(':')
    return name == ANSWERING or (
        name in WORKERS
        and any(
            node.lineno <= int(line) <= (node.end_lineno or 0)
            for node in ast.parse((SOURCE / name).read_text(encoding='utf-8')).body
            if isinstance(node, ast.If) or (isinstance(node, ast.FunctionDef) and node.name == 'main')
        )
    )


def test_only_the_configuration_asks_the_environment() -> None:
    others = [path for path in MODULES if not named(path).startswith('config/')]
    found = {path: where(path, ENVIRONMENT) for path in others if named(path) not in SETS_THE_ENVIRONMENT}
    assert [place for places in found.values() for place in places] == []


def test_sqlite_is_used_by_storages_the_index_of_a_container_and_the_cache_of_a_bucket_only() -> None:
    users = {named(path) for path in MODULES for _, name in uses(path) if name.split('.')[0] == 'sqlite3'}
    assert {name for name in users if not name.startswith(SQLITE)} == set()
    assert {'repository/container/index.py', 'repository/container/index_connection.py'} <= users


BACKENDS = {'Storage', 'StorageBackend', 'Container', 'Repository', 'RepositoryBackend', 'ObjectStore', 'Dialect'}
"""How the names of the classes of storages, repositories and dialects end."""
ASKS_FOR_CLASSES = {
    'repository/archive/objects.py': 'workers that read a container by themselves',
    'repository/archive/sources.py': 'what lies deflated in a pack or an archive already is taken over as it is',
    'storage/archive/draft.py': 'an archive is copied out of a SQL database',
    'storage/deletion.py': 'what somebody else made is not deleted from here',
}


def classes_asked_for(path: Path) -> set[str]:
    """The storages and repositories of which a module asks whether something is one."""
    asked = set()
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Call) and getattr(node.func, 'id', '') in ('isinstance', 'issubclass'):
            asked |= {name for one in ast.walk(node.args[1]) if (name := getattr(one, 'id', getattr(one, 'attr', '')))}
    return {name for name in asked if name.endswith(tuple(BACKENDS))}


def test_nobody_asks_of_which_class_a_storage_or_a_repository_is() -> None:
    """What one does best in a way of its own is a method of the contract, with a way for all others."""
    found = {named(path) for path in MODULES if classes_asked_for(path)}
    assert found == ASKS_FOR_CLASSES.keys()


NOUNS = {path[0] for path, _, _ in leaves()}
OF_THE_COMMAND_LINE = re.compile(rf'(?<![\w-])--[a-z]|`?\bricordi (?:-\w|(?:{"|".join(sorted(NOUNS))})\b)|`ricordi\b')
OPTIONS_OF_OTHERS = {"squeue --noheader -o '%A'"}


def texts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and content of each text of a module, but of those that document it."""
    documentation = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield node.lineno, ''.join(part.value if isinstance(part, ast.Constant) else '…' for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in documentation:
            yield node.lineno, node.value


def advice(path: Path) -> list[str]:
    """The places where a module names a verb or an option of the command line to a person."""
    found = texts(ast.parse(path.read_text(encoding='utf-8')))
    wrong = [(line, text) for line, text in found if OF_THE_COMMAND_LINE.search(text) and text not in OPTIONS_OF_OTHERS]
    return [f'{named(path)}:{line} {text}' for line, text in wrong]


def test_nothing_below_the_command_line_names_its_verbs_and_options() -> None:
    below = [path for path in MODULES if not named(path).startswith('cli/')]
    assert [place for path in below for place in advice(path)] == []


def test_verbs_and_options_in_texts_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), 'SOURCE', tmp_path)
    module = tmp_path / 'module.py'
    module.write_text(
        '"""See `ricordi storage info --detailed`."""\n'
        'a = "made by ricordi for a profile", "a -- b", "x--y"\n'
        'b = f"see `ricordi {a} list`"\nc = "give --yes"\nd = f"{a}: ricordi -p main status"\n'
        'e = "run ricordi node show"\n'
    )
    assert {place.partition(' ')[0] for place in advice(module)} == {f'module.py:{line}' for line in (3, 4, 5, 6)}


def test_no_class_has_the_name_of_another() -> None:
    found: dict[str, list[str]] = {}
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
            if isinstance(node, ast.ClassDef):
                found.setdefault(node.name.lstrip('_'), []).append(named(path))
    assert {name: places for name, places in found.items() if len(places) > 1} == {}


MOST_FILES = 26
"""In one folder: about twenty, `__init__.py` aside."""


def test_no_folder_is_a_drawer() -> None:
    folders = {path.parent for path in MODULES}
    assert {named(folder): count for folder in folders if (count := len(list(folder.glob('*.py')))) > MOST_FILES} == {}


def test_no_prefix_stands_for_a_folder() -> None:
    """Three files that begin with the same word belong into a folder of that name."""
    begun: dict[str, int] = {}
    for path in MODULES:
        word, line, _ = named(path).removesuffix('.py').rpartition('/')[2].partition('_')
        if word and line:
            begun[f'{named(path.parent)}/{word}_'] = begun.get(f'{named(path.parent)}/{word}_', 0) + 1
    assert {name for name, count in begun.items() if count > 2} == set()


def imports(path: Path) -> set[str]:
    """The modules of the package that a module imports when it runs, at whatever place: by the names of their files."""
    tree = ast.parse(path.read_text(encoding='utf-8'))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and 'TYPE_CHECKING' in ast.unparse(node.test):
            node.body = []
    dotted_names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            dotted_names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            dotted_names |= {node.module, *(f'{node.module}.{alias.name}' for alias in node.names)}
    places = {name.removeprefix('ricordi.').replace('.', '/') + '.py' for name in dotted_names}
    return {place for place in places if (SOURCE / place).is_file()} - {named(path)}


def circle(asks: dict[str, set[str]]) -> list[str]:
    """Modules that import one another in a circle; empty if there is none."""
    left = dict(asks)
    while ends := [name for name, others in left.items() if not others & left.keys()]:
        for name in ends:
            del left[name]
    way = list(left)[:1]
    while left:
        way.append(next(iter(left[way[-1]] & left.keys())))
        if way[-1] in way[:-1]:
            return way[way.index(way[-1]) :]
    return []


def test_no_module_imports_one_that_imports_it() -> None:
    assert circle({named(path): imports(path) for path in MODULES}) == []
    assert 'access/judging.py' in imports(SOURCE / 'access' / 'own_records.py')  # inside a function


def test_circles_are_seen() -> None:
    assert circle({'a': {'b'}, 'b': {'c'}, 'c': {'d'}, 'd': {'b'}})[0] in 'bcd'
    assert circle({'a': {'b', 'c'}, 'b': {'c'}, 'c': set()}) == []


def test_the_rules_see_what_they_forbid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), 'SOURCE', tmp_path)
    module = tmp_path / 'module.py'
    module.write_text(
        'import os, sys\nfrom os import getenv as ask, environ\nfrom pathlib import Path\nimport sqlite3 as database\n'
        'def f():\n    print(os.environ["A"], ask("B"), environ, sys.stdin)\n'
        '    Path.home()\n    database.connect("")\n'
    )
    assert {place.split()[1] for place in where(module, TALKING | STREAMS)} == {'print', 'sys.stdin'}
    module.with_name('other.py').write_text(
        'isinstance(a, (int, dos.SqliteDosStorage))\nissubclass(b, Container)\nisinstance(c, NodeRow)'
    )
    assert classes_asked_for(module.with_name('other.py')) == {'SqliteDosStorage', 'Container'}
    assert {place.split()[1] for place in where(module, ENVIRONMENT)} == {'os.environ', 'os.getenv', 'Path.home'}
    assert 'sqlite3.connect' in {name for _, name in uses(module)}


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Also not by imports that stand in functions; what only types name is not imported when the program runs."""
    names = {module_name(path) for path in MODULES}
    graph = {module_name(path): imported(path, names) for path in MODULES}
    TopologicalSorter(graph).prepare()  # raises a CycleError that names the circle


def module_name(path: Path) -> str:
    return '.'.join(('ricordi', *path.relative_to(SOURCE).with_suffix('').parts)).removesuffix('.__init__')


def imported(path: Path, names: set[str]) -> set[str]:
    """Which of these modules a module imports as it runs."""
    tree = ast.parse(path.read_text(encoding='utf-8'))
    guarded = [node for node in ast.walk(tree) if isinstance(node, ast.If) and dotted(node.test) == 'TYPE_CHECKING']
    typing = {inner for node in guarded for inner in ast.walk(node)}
    found = {
        inner if (inner := f'{node.module}.{alias.name}') in names else node.module or ''
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node not in typing
        for alias in node.names
    }
    return found & names - {module_name(path)}
