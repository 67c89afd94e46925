"""Who uses a profile: shared access and the exclusive lock, among Ricordi processes and towards AiiDA."""
