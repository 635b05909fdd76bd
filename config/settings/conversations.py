"""Conversations: what a site may set."""
