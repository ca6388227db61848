"""The JSON door: what services and providers ask, without a browser."""
