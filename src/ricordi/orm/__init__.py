"""The frontend: entities, collections, node namespaces, the QueryBuilder."""
