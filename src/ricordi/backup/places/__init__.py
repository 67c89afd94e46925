"""Where backup repositories are: folders, and folders of buckets."""
