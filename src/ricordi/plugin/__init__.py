"""AiiDA itself on storages of Ricordi: what `aiida.orm.implementation` asks for, found by AiiDA's entry points."""
