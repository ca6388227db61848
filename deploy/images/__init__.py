"""Builds the images: the services', and where no registry is reachable also what stands in for the official ones."""
