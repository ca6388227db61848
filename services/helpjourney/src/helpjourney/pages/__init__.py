"""The doors in HTML: parse, make the command, open the transaction, turn domain errors into pages."""
