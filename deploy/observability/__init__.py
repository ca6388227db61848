"""What operations see: alert rules, dashboards and Prometheus itself, all from Python, with the files that come of it beside it."""
