"""The one entrance: host names, forwarding, and what is shown when a service is down."""
