"""Timers of unread messages: from the moment that one is due to its webhook at a receiver."""
