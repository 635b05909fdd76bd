"""The jobs of all rooms of subscriptions, so that every process that runs jobs knows them."""
