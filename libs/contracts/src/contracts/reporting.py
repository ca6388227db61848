"""What reporting tells the world. Nothing yet: signals back to the owners come with the feedback loop."""
