"""The verbs of `ricordi profile`, and `ricordi presto`."""
