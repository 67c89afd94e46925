"""The configuration folder: where it is, `config.json`, profiles."""
