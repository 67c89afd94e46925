"""The verbs of `ricordi archive`."""
