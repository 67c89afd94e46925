"""Ricordi keeps the provenance of computational science: a library and a command line over AiiDA's storage format."""

__version__ = '0.1.0'
