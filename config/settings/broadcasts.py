"""Broadcasts: what a site may set."""
