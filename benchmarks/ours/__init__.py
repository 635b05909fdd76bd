"""Our own side of the jobs suite: a Django app with the no-op kind, and the runners."""
