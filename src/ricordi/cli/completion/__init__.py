"""Completion in shells: the static scripts, written from the tree of verbs."""
