"""Whether a database keeps its own rules: those of its schema and those of `ricordi.model`; it is only read."""
