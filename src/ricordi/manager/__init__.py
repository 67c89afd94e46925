"""The loaded profile and its storage: the one place that joins configuration, access, frontend and storage."""
