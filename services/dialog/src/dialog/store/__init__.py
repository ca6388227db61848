"""All that dialog knows of its database: one metadata, one module of tables and repositories per aggregate."""

from sqlalchemy import MetaData

metadata = MetaData()
"""The service's own tables; the plumbing's live in servicekit."""
