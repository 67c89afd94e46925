"""The verbs of `ricordi process`."""
