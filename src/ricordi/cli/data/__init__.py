"""The nouns under `data`: the content of data nodes as text."""
