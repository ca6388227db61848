"""The HTML door of dialog."""
