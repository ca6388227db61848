"""pytest fixtures on real parts; loaded wherever servicekit is installed."""
