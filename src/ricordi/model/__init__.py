"""The rules of the graph and of its values, each once, without input and output."""
