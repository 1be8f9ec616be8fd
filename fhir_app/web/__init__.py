"""HTTP in, HTTP out: blueprints that decide nothing."""
