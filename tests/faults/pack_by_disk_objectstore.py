"""Run by a Python with disk-objectstore: adds objects and packs all that is loose, over and over. `… FOLDER`.

Says `begun` at first. When its input ends, it packs once more, with nobody in its way, and prints as JSON the keys it
has added, how often it has packed, and with which errors it has not.
"""

import json
import sys
import threading

from disk_objectstore import Container

if __name__ == '__main__':
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    keys, runs, errors = [], 0, []
    with Container(sys.argv[1]) as container:
        print('begun', flush=True)
        while not ended.is_set():
            keys += [container.add_object(b'loose %d' % number) for number in range(len(keys), len(keys) + 5)]
            try:
                container.pack_all_loose()
                container.clean_storage()
                runs += 1
            except Exception as error:
                errors.append(repr(error))
    with Container(sys.argv[1]) as container:  # anew: a session that failed to write may look at the past
        container.pack_all_loose()
        container.clean_storage()
        runs += 1
    print(json.dumps({'keys': keys, 'runs': runs, 'errors': sorted(set(errors))}))
