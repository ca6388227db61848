"""The journey in figures, with disclosure control."""
