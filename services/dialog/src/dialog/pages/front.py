"""The front page: ask, chat or call, and what is open now."""

from fastapi import APIRouter

router = APIRouter()
