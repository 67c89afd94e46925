"""Object stores: the container of loose files, packs and index, and its maintenance."""
