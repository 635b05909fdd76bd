"""The calls of Crypto Pay that we use."""
