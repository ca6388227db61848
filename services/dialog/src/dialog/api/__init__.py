"""The JSON door of dialog."""
