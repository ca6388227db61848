"""The whole platform on containers: what it needs beforehand, how it is started, looked at, taken apart and put together again."""
