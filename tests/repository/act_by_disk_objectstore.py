"""Run by a Python with disk-objectstore: acts on a container. `act_by_disk_objectstore.py FOLDER ACTION…`.

Reads nothing but what it is told on the command line, and prints a JSON object: `keys` (of what it added), `content`
(key to SHA-256 of what it reads), `invalid` (what `validate` complains of).
"""

import hashlib
import io
import json
import random
import sys

from disk_objectstore import CompressMode, Container


def contents(seed):
    """Different contents, the same in each run, some compressible."""
    source = random.Random(seed)
    made = [source.randbytes(source.randrange(1, 5000)) for _ in range(10)]
    return made + [b'%d of %d; ' % (number, seed) * 200 for number in range(10)] + [b'']


def act(container, action, keys):
    """One action on the container; appends the keys of what it added to `keys`."""
    name, _, argument = action.partition('=')
    if name == 'init':
        container.init_container(pack_size_target=int(argument or 4 * 1024**3))
    elif name == 'add':
        keys.extend(container.add_object(content) for content in contents(int(argument)))
    elif name == 'add-to-pack':
        keys.extend(container.add_objects_to_pack(contents(int(argument)), compress=True))
    elif name == 'add-large':
        keys.append(container.add_streamed_object(io.BytesIO(random.Random(argument).randbytes(5 << 20))))
    elif name == 'pack':
        container.pack_all_loose(compress=CompressMode(argument or 'no'))
    elif name == 'clean':
        container.clean_storage(vacuum=True)
    elif name == 'repack':
        container.repack(compress_mode=CompressMode(argument or 'keep'))
    elif name == 'delete':
        container.delete_objects(sorted(container.list_all_objects())[:: int(argument)])
    else:
        raise ValueError(action)


def main():
    """Act, then read and validate everything."""
    keys = []
    with Container(sys.argv[1]) as container:
        for action in sys.argv[2:]:
            act(container, action, keys)
        everything = sorted(container.list_all_objects())
        with container.get_objects_stream_and_meta(everything, skip_if_missing=False) as streams:
            content = {key: stream and hashlib.sha256(stream.read()).hexdigest() for key, stream, _ in streams}
        invalid = {name: found for name, found in vars(container.validate()).items() if found}
    print(json.dumps({'keys': keys, 'content': content, 'invalid': str(invalid) if invalid else None}))


if __name__ == '__main__':
    main()
