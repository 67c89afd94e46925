"""What a person sees and types: tables, texts, progress, questions, signals."""
