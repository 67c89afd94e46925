"""Nodes: the entity, its namespaces (`node.base.…`) and how it is stored."""
