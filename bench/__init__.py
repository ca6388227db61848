"""How fast the platform is, measured beside the fastest that could be expected of the same machine."""
