"""The store of objects in packs in a bucket, of which the lists at the ends of the packs are the only index.

No database is needed to read it, nor to write: for what shall be there when the database is gone.
"""
