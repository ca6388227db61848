"""The browser's door: why one logs in, the way through a provider, logout, my sessions."""
