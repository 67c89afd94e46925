"""The content of data nodes as text: of dictionaries, arrays, structures, trajectories, files."""
