"""The rules of dialog, one module per aggregate. Pure: standard library and code lists only."""
