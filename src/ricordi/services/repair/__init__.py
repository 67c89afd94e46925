"""Repair of a storage: what a verification has found is mended from copies at hand and from sources."""
