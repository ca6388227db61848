"""The look that the services share; no service logic."""
