"""Pages where a youth chats with a helper."""

from fastapi import APIRouter

router = APIRouter()
