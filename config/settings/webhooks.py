"""Webhooks: what a site may set."""
