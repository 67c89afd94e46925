"""AiiDA's Python, started once: a fork of it runs each program that it is asked to, as a Python of its own would.

A question is a line of JSON on standard input: `words`, as they follow `python`, `environment`, `output` and `errors`,
the files for what it prints, and `given`, the file it reads. The answer is a line with the exit code. What takes long
is importing AiiDA, which a fork has done; nothing of a profile or a configuration is read before the fork.
"""

import json
import os
import runpy
import sys
import threading
import traceback
from importlib import import_module

from aiida.manage import configuration
from aiida.manage.configuration import settings

IMPORTED = (
    *('aiida.orm', 'aiida.cmdline.commands.cmd_verdi', 'aiida.tools.archive', 'aiida.tools.visualization'),
    *('aiida.storage.psql_dos.backend', 'aiida.storage.sqlite_dos.backend', 'aiida.storage.sqlite_zip.backend'),
)
set_folder = (
    settings.AiiDAConfigDir.set if hasattr(settings, 'AiiDAConfigDir') else settings.set_configuration_directory
)
"""As AiiDA does when it is imported: by the environment. 2.6 has the other one."""


def become(question):
    """In the fork: be that program."""
    for number, name, flags in (
        (0, 'given', os.O_RDONLY),
        (1, 'output', os.O_WRONLY | os.O_CREAT),
        (2, 'errors', os.O_WRONLY | os.O_CREAT),
    ):
        opened = os.open(question[name], flags, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.stdout, sys.stderr = open(1, 'w', closefd=False), open(2, 'w', closefd=False)  # noqa: SIM115
    os.environ.clear()
    os.environ.update(question['environment'])
    set_folder()
    script, *sys.argv[1:] = question['words']
    sys.argv[0] = script
    if script == '-c':
        sys.argv[:] = ['-c', *sys.argv[2:]]
        exec(compile(question['words'][1], '<string>', 'exec'), {'__name__': '__main__'})
    else:
        sys.path.insert(0, os.path.dirname(script))  # noqa: PTH120
        runpy.run_path(script, run_name='__main__')


def answer(question):
    """The exit code of a program."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 1
    try:
        become(question)
        code = 0
    except SystemExit as exit:
        code = exit.code if isinstance(exit.code, int) else int(exit.code is not None)
        if isinstance(exit.code, str):
            print(exit.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == '__main__':
    for name in IMPORTED:
        import_module(name)
    assert configuration.CONFIG is None
    assert threading.active_count() == 1
    answers = os.fdopen(os.dup(1), 'w')
    for line in sys.stdin:
        question = json.loads(line)
        print(answer(question) if question else 'ready', file=answers, flush=True)
