"""Tables of handoffs."""
