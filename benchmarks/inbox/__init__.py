"""The inbox suite: taking notifications in, pushing them to many sockets, and what a socket costs."""
