"""Benchmarks: ratios of the wizard to what it replaces, measured side by side in one run."""
