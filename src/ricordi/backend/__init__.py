"""The contract between the frontend and the storages: abstract classes, rows, the query description."""
