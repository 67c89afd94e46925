"""The verbs of `ricordi calcjob`."""
