"""How the platform is started, on this machine and elsewhere."""
