"""The clinical core: pure functions from answers to an assessment. No clock, no network, no log."""
