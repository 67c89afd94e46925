"""The container: objects as loose files and in packs, with an index. The format is that of disk-objectstore."""
