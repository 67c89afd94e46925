"""The verbs of `ricordi node`."""
