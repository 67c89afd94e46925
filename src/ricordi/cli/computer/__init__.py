"""The verbs of `ricordi computer`."""
