"""Reporting on a fresh, migrated PostgreSQL database per test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from reporting.main import create_service
from reporting.settings import Settings
from servicekit.service import create_app

from deploy.testing import service_database
from deploy.testing.browser import Browser

database = service_database("reporting")


@pytest.fixture
async def app(database, tmp_path: Path) -> AsyncIterator[FastAPI]:
    (tmp_path / "service.key").write_bytes(b"s" * 32)
    settings = Settings(database_url=database.dsn, keys_dir=tmp_path, trust_dir=tmp_path)
    app = create_app(create_service(settings))
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def browser(app: FastAPI) -> AsyncIterator[Browser]:
    async with Browser(app) as browser:
        yield browser
