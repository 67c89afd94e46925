"""The tree of verbs as plain data: what `ricordi --help` shows and where the code of each verb is.

Help for the program and for a noun is written from this table alone, so that it costs no import; click is loaded for
a verb. A word maps to a line of help and either the place of its command (`module:attribute`) or the words
below it.
"""

from __future__ import annotations

from ricordi.cli.terminal.screen import width
from ricordi.cli.terminal.widths import wrapped

_NARROWEST_TEXT = 30
"""Columns that a line of help needs beside its word."""

Entry = tuple[str, 'str | Branch']
Branch = dict[str, Entry]

TREE: Branch = {
    'profile': (
        'Profiles: the named storages of the configuration folder.',
        {
            'list': ('List the profiles.', 'ricordi.cli.profile.profile:list_profiles'),
            'show': ('Show the configuration of a profile, passwords masked.', 'ricordi.cli.profile.profile:show'),
            'set-default': (
                'Make a profile the one that is used when none is named.',
                'ricordi.cli.profile.profile:set_default',
            ),
            'use-backend': (
                "Have AiiDA work on a profile by Ricordi's storage, or by its own again.",
                'ricordi.cli.profile.backend:use_backend',
            ),
            'setup': (
                'Set up a new profile.',
                {
                    'core.sqlite_dos': (
                        'Set up a profile on SQLite, which needs no server.',
                        'ricordi.cli.profile.setup:sqlite_dos',
                    ),
                    'core.psql_dos': ('Set up a profile on PostgreSQL.', 'ricordi.cli.profile.setup:psql_dos'),
                    'ricordi.psql_bucket': (
                        'Set up a profile on PostgreSQL with its objects in a bucket of an object store.',
                        'ricordi.cli.profile.bucket:psql_bucket',
                    ),
                    'core.sqlite_zip': (
                        'Set up a read-only profile on an archive.',
                        'ricordi.cli.profile.setup:sqlite_zip',
                    ),
                },
            ),
            'delete': ('Delete profiles, with or without their data.', 'ricordi.cli.profile.profile:delete'),
            'dump': (
                'Dump the processes of a profile with their files into folders, by groups.',
                'ricordi.cli.dump:profile_dump',
            ),
        },
    ),
    'storage': (
        'The storage of a profile: database and repository.',
        {
            'info': ('Show what the storage holds and how large it is.', 'ricordi.cli.storage.storage:info'),
            'version': ('Show the schema version of the storage.', 'ricordi.cli.storage.storage:version'),
            'migrate': (
                'Bring the database to the schema version that this program works on.',
                'ricordi.cli.storage.storage:migrate',
            ),
            'maintain': (
                'Pack the repository; with --full also remove garbage, repack and vacuum.',
                'ricordi.cli.storage.storage:maintain',
            ),
            'usage': (
                'Show what takes the space in the repository: of all nodes, or of some.',
                'ricordi.cli.storage.usage:usage',
            ),
            'index': (
                'Indexes of single attributes and extras, by which filters find nodes.',
                {
                    'list': (
                        'List the indexes of attributes and extras.',
                        'ricordi.cli.storage.index:list_indexes',
                    ),
                    'add': ('Make indexes of attributes and extras.', 'ricordi.cli.storage.index:add'),
                    'drop': ('Remove indexes of attributes and extras.', 'ricordi.cli.storage.index:drop'),
                    'suggest': (
                        'Look at some of the nodes, and tell what indexes would help filters.',
                        'ricordi.cli.storage.index:suggest',
                    ),
                },
            ),
            'report': (
                'Write a page for a browser: what takes the space, how it grew, how well it is kept.',
                'ricordi.cli.storage.report:report',
            ),
            'verify': (
                'Check that nothing is missing or damaged, beside other users of the profile.',
                'ricordi.cli.storage.verify:verify',
            ),
            'backup': (
                'Back up the profile, database and objects, into the backup repository in PLACE.',
                'ricordi.cli.storage.backup:backup',
            ),
            'snapshots': (
                'List the snapshots in the backup repository in PLACE; no profile is needed.',
                'ricordi.cli.storage.snapshots:snapshots',
            ),
            'forget': (
                'Remove snapshots from the backup repository in PLACE, by name or by a policy.',
                'ricordi.cli.storage.snapshots:forget',
            ),
            'restore': (
                'Make a new profile of what a backup holds: a snapshot, or what `verdi storage backup` made.',
                'ricordi.cli.storage.restore:restore',
            ),
            'repair': (
                'Mend what is missing or damaged, from copies at hand and from other sources.',
                'ricordi.cli.storage.repair:repair',
            ),
            'move': (
                'Move the objects of a profile into a bucket of an object store, or into a container again.',
                'ricordi.cli.storage.move:move',
            ),
            'locks': ('Show who uses or locks the profile.', 'ricordi.cli.storage.locks:locks'),
            'unlock': (
                'Clear access records and locks that nobody can check, such as those of other hosts.',
                'ricordi.cli.storage.locks:unlock',
            ),
        },
    ),
    'node': (
        'Nodes: the data and processes of the provenance graph.',
        {
            'list': ('List nodes.', 'ricordi.cli.node.list:list_nodes'),
            'show': (
                'Show nodes: properties, inputs, outputs, callers, called processes.',
                'ricordi.cli.node.show:show',
            ),
            'attributes': ('Show the attributes of nodes.', 'ricordi.cli.node.values:attributes'),
            'extras': (
                'Show or change the extras of nodes.',
                {
                    'show': ('Show the extras of nodes.', 'ricordi.cli.node.values:extras'),
                    'set': ('Set extras of nodes.', 'ricordi.cli.node.values:set_extras'),
                    'unset': ('Remove extras of nodes.', 'ricordi.cli.node.values:unset_extras'),
                },
            ),
            'logs': ('Show the log records of nodes, by time.', 'ricordi.cli.node.logs:logs'),
            'label': ('Show or set the label of nodes.', 'ricordi.cli.node.texts:label'),
            'description': ('Show or set the description of nodes.', 'ricordi.cli.node.texts:description'),
            'graph': (
                'Drawings of the provenance graph.',
                {'generate': ('Draw the provenance around nodes.', 'ricordi.cli.node.graph:generate')},
            ),
            'tree': ('Show what follows from nodes as a tree.', 'ricordi.cli.node.tree:tree'),
            'delete': ('Delete nodes, with all that must not stay without them.', 'ricordi.cli.node.delete:delete'),
            'rehash': ('Compute the hashes of nodes anew, all without NODES.', 'ricordi.cli.node.rehash:rehash'),
            'comment': (
                'Comments: what users wrote about nodes.',
                {
                    'add': ('Write a comment about nodes.', 'ricordi.cli.node.comment:add'),
                    'show': ('Show the comments of nodes.', 'ricordi.cli.node.comment:show'),
                    'update': ('Replace the text of a comment.', 'ricordi.cli.node.comment:update'),
                    'remove': ('Remove a comment.', 'ricordi.cli.node.comment:remove'),
                },
            ),
            'repo': (
                'The files of a node.',
                {
                    'ls': ('List the files of a node, or of a folder in it.', 'ricordi.cli.node.repo:ls'),
                    'cat': (
                        'Write the content of a file of a node to stdout, as it is.',
                        'ricordi.cli.node.repo:cat',
                    ),
                    'dump': ('Write all files of a node into a new folder.', 'ricordi.cli.node.repo:dump'),
                },
            ),
        },
    ),
    'data': (
        'Data nodes: what they hold, as text.',
        {
            'core.array': (
                'Arrays.',
                {'show': ('Show the arrays of nodes, one node after the other.', 'ricordi.cli.data.show:array')},
            ),
            'core.cif': (
                'CIF files of crystals.',
                {
                    'list': (
                        'List CIF files with their formulas and where they are from.',
                        'ricordi.cli.data.list:cif_files',
                    ),
                    'content': (
                        'Write CIF files to stdout, as they are, one after the other.',
                        'ricordi.cli.data.files:cif_content',
                    ),
                    'export': ('Export a CIF file, as it is.', 'ricordi.cli.data.files:cif_export'),
                },
            ),
            'core.dict': (
                'Dictionaries.',
                {'show': ('Show what Dict nodes hold, one after the other.', 'ricordi.cli.data.show:dictionary')},
            ),
            'core.remote': (
                'Folders on computers.',
                {'show': ('Show where a remote folder is: computer and path.', 'ricordi.cli.data.show:remote')},
            ),
            'core.singlefile': (
                'Single files.',
                {
                    'content': (
                        'Write the file of a SinglefileData node to stdout, as it is.',
                        'ricordi.cli.data.files:singlefile_content',
                    ),
                },
            ),
            'core.structure': (
                'Structures: crystals and molecules.',
                {
                    'list': ('List structures with their formulas.', 'ricordi.cli.data.list:structures'),
                    'show': ('Show structures as text: formula, cell, atoms.', 'ricordi.cli.data.show:structure'),
                    'export': (
                        'Export a structure: xyz (extended, with the cell), or xsf of XCrySDen.',
                        'ricordi.cli.data.files:structure_export',
                    ),
                },
            ),
            'core.trajectory': (
                'Trajectories of atoms.',
                {
                    'list': ('List trajectories.', 'ricordi.cli.data.list:trajectories'),
                    'export': (
                        'Export a trajectory: -F xsf, for XCrySDen.',
                        'ricordi.cli.data.files:trajectory_export',
                    ),
                },
            ),
            'core.upf': (
                'Pseudopotentials: UPF files.',
                {
                    'export': (
                        'Export a pseudopotential: -F upf, the file as it is.',
                        'ricordi.cli.data.files:upf_export',
                    ),
                    'exportfamily': (
                        'Write the files of a family of pseudopotentials into a folder; those that are there stay as '
                        'they are.',
                        'ricordi.cli.data.files:upf_exportfamily',
                    ),
                    'listfamilies': (
                        'List the families of pseudopotentials (UPF files).',
                        'ricordi.cli.data.list:families',
                    ),
                },
            ),
        },
    ),
    'group': (
        'Groups: named sets of nodes.',
        {
            'list': ('List groups.', 'ricordi.cli.group.group:list_groups'),
            'show': ('Show a group and its nodes.', 'ricordi.cli.group.group:show'),
            'create': ('Create an empty group.', 'ricordi.cli.group.group:create'),
            'relabel': ('Change the label of a group.', 'ricordi.cli.group.group:relabel'),
            'description': ('Show or change the description of a group.', 'ricordi.cli.group.group:description'),
            'add-nodes': ('Add nodes to a group.', 'ricordi.cli.group.members:add_nodes'),
            'remove-nodes': ('Remove nodes from a group.', 'ricordi.cli.group.members:remove_nodes'),
            'move-nodes': ('Move nodes from one group to another.', 'ricordi.cli.group.members:move_nodes'),
            'copy': ('Add all nodes of a group to another, made if there is none.', 'ricordi.cli.group.group:copy'),
            'delete': (
                'Delete groups: those that are named, or those that fit the options.',
                'ricordi.cli.group.delete:delete',
            ),
            'dump': (
                'Dump the processes of a group with their files into folders.',
                'ricordi.cli.dump:group_dump',
            ),
            'path': (
                'Groups as folders.',
                {
                    'ls': (
                        'List groups as folders: the slashes in their labels separate the steps of paths.',
                        'ricordi.cli.group.path:ls',
                    ),
                },
            ),
        },
    ),
    'process': (
        'Processes: what was run, and what runs.',
        {
            'list': (
                'List processes: those that still run, unless told otherwise.',
                'ricordi.cli.process.list:list_processes',
            ),
            'show': (
                'Show processes: properties, inputs, outputs, callers, called processes.',
                'ricordi.cli.process.show:show',
            ),
            'report': ('Show what processes had to report: their logs.', 'ricordi.cli.process.report:report'),
            'status': (
                'Show where processes stand, with those that they called as a tree.',
                'ricordi.cli.process.status:status',
            ),
            'call-root': (
                'Show the processes at the root of the calls that led to processes: their bare pks.',
                'ricordi.cli.process.show:call_root',
            ),
            'dump': (
                'Dump a process with its files into a folder, with those that it called.',
                'ricordi.cli.dump:process_dump',
            ),
        },
    ),
    'calcjob': (
        'Calculation jobs: their files and results, as far as they are stored.',
        {
            'inputls': (
                'List the input files of a calculation job, or those in a folder of them.',
                'ricordi.cli.calcjob.files:inputls',
            ),
            'inputcat': (
                'Write an input file of a calculation job to stdout, as it is.',
                'ricordi.cli.calcjob.files:inputcat',
            ),
            'outputls': (
                'List the files that came back from a calculation job, or those in a folder of them.',
                'ricordi.cli.calcjob.files:outputls',
            ),
            'outputcat': (
                'Write a file that came back from a calculation job to stdout, as it is.',
                'ricordi.cli.calcjob.files:outputcat',
            ),
            'res': (
                'Show the results of a calculation job: the items of its output `output_parameters`.',
                'ricordi.cli.calcjob.results:res',
            ),
        },
    ),
    'code': (
        'Codes: the executables that calculations run.',
        {
            'list': ('List codes.', 'ricordi.cli.code.list:list_codes'),
            'show': ('Show the settings of a code.', 'ricordi.cli.code.show:show'),
            'export': ('Write the settings of a code into a YAML file.', 'ricordi.cli.code.show:export'),
        },
    ),
    'computer': (
        'Computers: the machines on which calculations run.',
        {
            'list': (
                'List the computers that the default user can reach.',
                'ricordi.cli.computer.computer:list_computers',
            ),
            'show': ('Show the settings of a computer.', 'ricordi.cli.computer.computer:show'),
            'setup': ('Set up a new computer.', 'ricordi.cli.computer.setup:setup'),
            'duplicate': (
                'Set up a new computer with the settings of another.',
                'ricordi.cli.computer.setup:duplicate',
            ),
            'configure': (
                'How a user reaches a computer.',
                {
                    'show': ('Show how a user reaches a computer.', 'ricordi.cli.computer.configure:show'),
                    'core.local': (
                        'Configure a computer that is this machine.',
                        'ricordi.cli.computer.configure:local',
                    ),
                    'core.ssh': (
                        'Configure a computer that is reached by SSH, with all parameters in the profile.',
                        'ricordi.cli.computer.configure:ssh',
                    ),
                    'core.ssh_async': (
                        'Configure a computer that is reached as `ssh HOST`, by what ~/.ssh/config says.',
                        'ricordi.cli.computer.configure:ssh_async',
                    ),
                },
            ),
            'test': ('Test whether a computer can be used.', 'ricordi.cli.computer.check:test'),
            'goto': ('Open a shell on a computer, in its work directory.', 'ricordi.cli.computer.check:goto'),
            'enable': ('Let a user use a computer again.', 'ricordi.cli.computer.computer:enable'),
            'disable': ('Keep a user from using a computer.', 'ricordi.cli.computer.computer:disable'),
            'relabel': ('Change the label of a computer.', 'ricordi.cli.computer.computer:relabel'),
            'delete': ('Delete a computer.', 'ricordi.cli.computer.computer:delete'),
            'export': (
                'Set-up and configuration of a computer as files.',
                {
                    'setup': (
                        'Write the settings of a computer into a YAML file.',
                        'ricordi.cli.computer.export:setup',
                    ),
                    'config': (
                        'Write how a user reaches a computer into a YAML file.',
                        'ricordi.cli.computer.export:config',
                    ),
                },
            ),
        },
    ),
    'user': (
        'Users: the people who own nodes and groups.',
        {
            'list': ('List the users of the storage.', 'ricordi.cli.user:list_users'),
            'configure': ('Add a user or change one.', 'ricordi.cli.user:configure'),
            'set-default': ('Make a user the default one of the profile.', 'ricordi.cli.user:set_default'),
        },
    ),
    'archive': (
        'Archives: parts of a storage in a file, to publish or to move.',
        {
            'create': ('Write all or a part of a profile into an archive.', 'ricordi.cli.archive.create:create'),
            'import': ('Import archives into a profile.', 'ricordi.cli.archive.importing:import_archives'),
            'info': ('Show what an archive holds and how it was made.', 'ricordi.cli.archive.archive:info'),
            'version': ('Show the version of an archive.', 'ricordi.cli.archive.archive:version'),
            'migrate': (
                'Bring an archive to the version that this program works on.',
                'ricordi.cli.archive.archive:migrate',
            ),
        },
    ),
    'config': (
        'Options of the configuration, for a profile or for all.',
        {
            'list': ('List the options that have a value for the profile.', 'ricordi.cli.config:list_options'),
            'get': ('Show the value of an option, as it counts for the profile.', 'ricordi.cli.config:get'),
            'show': ('Show what an option is for, and where it is set.', 'ricordi.cli.config:show'),
            'set': ('Set an option, for the profile or for all.', 'ricordi.cli.config:set_option'),
            'unset': (
                'Unset an option: what is set for all profiles counts then, or the default.',
                'ricordi.cli.config:unset',
            ),
        },
    ),
    'shell': ('Start Python with the profile loaded.', 'ricordi.cli.shell:shell'),
    'query': ('Answer a question about the provenance graph, written in JSON.', 'ricordi.cli.query:query'),
    'presto': ('Set up a profile on SQLite with one command.', 'ricordi.cli.profile.presto:presto'),
    'status': (
        'Show whether the profile can be used and what maintenance would gain.',
        'ricordi.cli.status:status',
    ),
    'tour': (
        'Show on a storage in a temporary folder what is done about damage, garbage and waste.',
        'ricordi.cli.tour.tour:tour',
    ),
    'completion': ('Print the completion script for a shell.', 'ricordi.cli.completion.scripts:completion'),
}

SILENT: dict[tuple[str, ...], str] = {('node', 'extras'): 'show'}
"""Verbs that may be left out: `ricordi node extras 42` is `ricordi node extras show 42`."""

FORMER: dict[tuple[str, ...], str] = {('profile', 'setdefault'): 'set-default'}
"""Words that verdi once had, and that fingers and scripts still write, for verbs that are called otherwise now."""

GLOBAL_OPTIONS = (
    ('-p, --profile PROFILE', 'The profile to work on; else the default profile.'),
    ('--archive FILE', 'An archive to look into, in place of a profile.'),
    ('-v, --verbose', 'Tell more, on stderr.'),
    ('--verbosity LEVEL', 'What to tell on stderr, as for verdi; also -v LEVEL.'),
    ('-q, --quiet', 'No reports, notices and progress; lists as bare names.'),
    ('--color WHEN', 'Colour always, never, or auto: on a terminal.'),
    ('--no-color', 'No colour.'),
    ('--utc', 'Tell and read times in UTC, not in local time.'),
    ('--debug', 'Show the traceback of an error.'),
    ('--version', 'Show the version of the program and exit.'),
    ('-h, --help', 'Show this message and exit.'),
)

ELSEWHERE = {
    **{
        words: f'verdi {words}'
        for words in (
            'bug-report',
            'calcjob cleanworkdir',
            'calcjob gotocomputer',
            'calcjob remotecat',
            'code create',
            'code delete',
            'code duplicate',
            'code hide',
            'code relabel',
            'code reveal',
            'code setup',
            'code test',
            'config caching',
            'config downgrade',
            'daemon',
            'data core.bands',
            'data core.cif import',
            'data core.cif show',
            'data core.remote cat',
            'data core.remote ls',
            'data core.remote size',
            'data core.structure import',
            'data core.trajectory show',
            'data core.upf import',
            'data core.upf uploadfamily',
            'devel',
            'plugin',
            'process kill',
            'process pause',
            'process play',
            'process repair',
            'process watch',
            'profile configure-broker',
            'profile configure-rabbitmq',
            'restapi',
            'run',
        )
    },
    'storage integrity': 'ricordi storage verify',
    'broker': 'verdi profile configure-broker',
    'archive inspect': 'ricordi archive info',
    'calcjob remotels': 'verdi data core.remote ls',
    'help': 'ricordi --help',
    'quicksetup': 'ricordi presto',
    'setup': 'ricordi profile setup',
}
"""Words that verdi knows and this program does not, with where to go: nouns, and verbs after their nouns."""


def find(path: list[str]) -> Branch | str:
    """What stands at `path` (words that are known to exist): the words below, or the place of a command."""
    place: Branch | str = TREE
    for word in path:
        if isinstance(place, str):
            raise KeyError(word)
        place = place[word][1]
    return place


def leaves(branch: Branch | None = None, above: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], str, str]]:
    """All commands as (words, line of help, place of the code), in the order of the table."""
    found = []
    for word, (line, place) in (TREE if branch is None else branch).items():
        if isinstance(place, str):
            found.append(((*above, word), line, place))
        else:
            found += leaves(place, (*above, word))
    return found


def overview(path: list[str]) -> str:
    """The help text of the program (no words) or of a noun."""
    branch = find(path)
    assert not isinstance(branch, str)
    if path:
        above = find(path[:-1])
        assert not isinstance(above, str)
        usage, title = f'ricordi [OPTIONS] {" ".join(path)} VERB …', above[path[-1]][0]
    else:
        usage = 'ricordi [OPTIONS] NOUN VERB …'
        title = 'Keeps the provenance of computational science: opens AiiDA profiles and maintains their storage.'
    commands = tuple((word, line) for word, (line, _) in branch.items())
    below = 'Verbs' if path else 'Nouns and verbs'
    example = ' '.join(['ricordi', *(path or ['storage', 'maintain']), *(['VERB'] if path else []), '--help'])
    room = width()
    text = (
        f'Usage: {usage}\n\n  {title}\n\n{below}:\n{_aligned(commands, room)}\n\nOptions, before or after the verb:\n'
        f'{_aligned(GLOBAL_OPTIONS, room)}\n\nMore about one of them: {example}'
    )
    return text if room is None else '\n'.join(wrapped(text, room))


def _aligned(pairs: tuple[tuple[str, str], ...], room: int | None) -> str:
    """Words and what they are, side by side, or one under the other where there is no room for that."""
    left = max(len(word) for word, _ in pairs) + 4
    lines = []
    for word, text in pairs:
        beside = room is None or room - left >= _NARROWEST_TEXT
        first, *more = [text] if room is None else wrapped(text, room - (left if beside else 6))
        lines += [f'  {word:{left - 2}}{first}'] if beside else [f'  {word}', f'      {first}']
        lines += [' ' * (left if beside else 6) + line for line in more]
    return '\n'.join(lines)
