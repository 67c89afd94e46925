"""Run many command lines of verdi in one process: `python run_verdi.py PROFILE < commands.json > results.json`.

A command is a list of words. The result is `{"code": …, "out": text}`; of a command that begins with `@`, what a
function of aiida-core gives: `@delete`, `@export` (pks, switches) the nodes of a traversal, `@graph` (pk, options)
nodes and links.
"""

import json
import sys

from aiida import load_profile
from aiida.cmdline.commands.cmd_verdi import verdi
from aiida.tools.graph.graph_traversers import get_nodes_delete, get_nodes_export
from aiida.tools.visualization import Graph
from click.testing import CliRunner

PROFILE = sys.argv[1]
LINKS = {'all': (), 'logic': ('input_work', 'return'), 'data': ('input_calc', 'create')}


def graph(pk, ancestors, descendants, links, process_in, process_out):
    drawn = Graph()
    drawn.recurse_ancestors(pk, ancestors, LINKS[links], include_process_outputs=process_out)
    drawn.recurse_descendants(pk, descendants, LINKS[links], include_process_inputs=process_in)
    edges = [[source, target, pair.link_type.value, pair.link_label] for source, target, pair in drawn.edges]
    return {'nodes': sorted(drawn.nodes), 'links': sorted(edges)}


def run(command):
    if command[0] in ('@delete', '@export'):
        function = get_nodes_delete if command[0] == '@delete' else get_nodes_export
        return sorted(function(command[1], **command[2])['nodes'])
    if command[0] == '@graph':
        return graph(*command[1:])
    result = CliRunner().invoke(verdi, ['-p', PROFILE, *map(str, command)])
    return {'code': result.exit_code, 'out': result.stdout}


load_profile(PROFILE)
results = [run(command) for command in json.load(sys.stdin)]
json.dump(results, sys.stdout)
