"""All that helpjourney knows of its database. Each module holds the tables and repositories of one aggregate."""

from sqlalchemy import MetaData

metadata = MetaData()
