"""Print the lowest versions that pyproject.toml admits, one `name==version` a line, for `pip install --constraint`."""

import re
import tomllib
from itertools import chain
from pathlib import Path

project = tomllib.loads((Path(__file__).parent.parent / 'pyproject.toml').read_text(encoding='utf-8'))['project']
for requirement in chain(project['dependencies'], *project['optional-dependencies'].values()):
    if bound := re.fullmatch(r'([\w.-]+)(?:\[[\w,-]+\])?>=([\w.]+)', requirement):
        print(f'{bound[1]}=={bound[2]}')
