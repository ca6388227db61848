"""The published language of Stegvis."""
