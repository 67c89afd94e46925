"""Archives as AiiDA 0 and 1 wrote them (versions 0.1 to 0.13), brought to the first version of those of AiiDA 2."""
