"""Print the n-th `sh` block of README.md, so that what is tested is what a reader types: readme_command.py N."""

import re
import sys
from pathlib import Path

readme = Path(__file__).parent.parent / 'README.md'
blocks = re.findall(r'^```sh\n(.*?)^```', readme.read_text(encoding='utf-8'), re.MULTILINE | re.DOTALL)
print(blocks[int(sys.argv[1]) - 1])
