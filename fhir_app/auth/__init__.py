"""Who may call: bearer tokens now, SMART and signed tokens beside them."""
