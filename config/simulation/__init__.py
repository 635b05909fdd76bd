"""A month of business in minutes: real processes against the sandbox, with the clock moved, and a
ledger that must balance (docs/simulation.md)."""
