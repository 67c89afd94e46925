"""Process nodes: records of calculations and workflows that ran."""
