"""Answer queries given as JSON, with AiiDA's QueryBuilder or with Ricordi's: the same script, but for one import.

    python answer_queries.py aiida|ricordi PROFILE < queries.json > answers.json

A query is `{"path": [arguments of append, …], "order_by": …, "limit": …, "offset": …, "distinct": …, "method": …}`.
Classes are given by name; `{"$date": "…"}` is a datetime. With `"from"`, the query is made of that dictionary of
`as_dict`. An answer is what the method gave, or `{"error": name}`.
"""

import json
import sys
from datetime import UTC, datetime


def from_json(value):
    if isinstance(value, dict):
        if set(value) == {'$date'}:
            return datetime.fromisoformat(value['$date'])
        return {key: from_json(item) for key, item in value.items()}
    return [from_json(item) for item in value] if isinstance(value, list) else value


def to_json(value):
    if isinstance(value, datetime):
        return {'$date': value.astimezone(UTC).isoformat()}
    if isinstance(value, dict):
        return {key: to_json(item) for key, item in value.items()}
    if hasattr(value, 'source_id'):
        return {'$link': [value.source_id, value.target_id, value.link_type, value.link_label]}
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    if hasattr(value, 'is_stored'):
        return {'$entity': [type(value).__name__, value.pk]}
    return value


def answer(orm, query):
    if 'from' in query:
        return to_json(getattr(orm.QueryBuilder.from_dict(from_json(query['from'])), query.get('method', 'all'))())
    builder = orm.QueryBuilder()
    for vertex in query['path']:
        arguments = from_json(vertex)
        classes = arguments.pop('cls', None)
        if classes is not None:
            names = classes if isinstance(classes, list) else [classes]
            found = tuple(getattr(orm, name) for name in names)
            arguments['cls'] = found if isinstance(classes, list) else found[0]
        builder.append(**arguments)
    if query.get('order_by'):
        builder.order_by(query['order_by'])
    builder.limit(query.get('limit')).offset(query.get('offset')).distinct(query.get('distinct', False))
    return to_json(getattr(builder, query.get('method', 'all'))())


def main():
    program, profile = sys.argv[1:]
    if program == 'aiida':
        from aiida import load_profile, orm
    else:
        from ricordi import orm
        from ricordi.manager import load_profile
    load_profile(profile)
    answers = []
    for query in json.load(sys.stdin):
        try:
            answers.append(answer(orm, query))
        except Exception as error:
            answers.append({'error': type(error).__name__, 'message': str(error)})
    json.dump(answers, sys.stdout)


if __name__ == '__main__':
    main()
