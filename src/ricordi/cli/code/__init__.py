"""The verbs of `ricordi code`."""
