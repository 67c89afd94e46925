"""The verbs of `ricordi storage`."""
