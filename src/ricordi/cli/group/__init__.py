"""The verbs of `ricordi group`."""
